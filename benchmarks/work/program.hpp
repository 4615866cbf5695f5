#pragma once
#include <boost/program_options/errors.hpp>
#include <exception>
#include <iostream>

namespace bench {

/// run(argc, argv) as a program: what goes wrong is told after its name, a wrong call ends with 2, the rest with 1.
template <class Run>
int program(const char* name, int argc, char** argv, const Run& run) {
  try {
    return run(argc, argv);
  } catch (const boost::program_options::error& error) {
    std::cerr << name << ": " << error.what() << '\n';
    return 2;
  } catch (const std::exception& error) {
    std::cerr << name << ": " << error.what() << '\n';
    return 1;
  }
}

}  // namespace bench
