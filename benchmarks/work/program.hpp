#pragma once
#include <boost/program_options/errors.hpp>
#include <exception>
#include <iostream>
#include <new>
#include <stdexcept>
#include <string>

namespace bench {

/// Far more than help. OpenMP crashes where it can't have as many as it is told to.
constexpr int most_threads = 1024;

inline void check_threads(int threads) {
  if (threads < 1 || threads > most_threads)
    throw boost::program_options::error("--threads must be from 1 to " + std::to_string(most_threads));
}

/// run(argc, argv) as a program: what goes wrong is told after its name, a wrong call ends with 2, the rest with 1.
template <class Run>
int program(const char* name, int argc, char** argv, const Run& run) {
  try {
    return run(argc, argv);
  } catch (const boost::program_options::error& error) {
    std::cerr << name << ": " << error.what() << '\n';
    return 2;
  } catch (const std::invalid_argument& error) {  // sizes that a work can't have
    std::cerr << name << ": " << error.what() << '\n';
    return 2;
  } catch (const std::bad_alloc&) {
    std::cerr << name << ": there is no memory for these sizes\n";
    return 1;
  } catch (const std::exception& error) {
    std::cerr << name << ": " << error.what() << '\n';
    return 1;
  }
}

}  // namespace bench
