#pragma once
#include <iostream>
#include <string>

namespace bench {

/// The end of a program without options that was given some: well where it is help that was asked for.
inline int explain(int argc, char** argv, const char* text) {
  const bool asked = argc == 2 && std::string(argv[1]) == "--help";
  (asked ? std::cout : std::cerr) << text << '\n';
  return asked ? 0 : 2;
}

}  // namespace bench
