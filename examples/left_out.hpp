#pragma once
#include <fmt/format.h>

#include <cstdio>
#include <string>
#include <vector>

/// Says that one of what a program was given isn't used, and why.
inline void say_left_out(const char* program, const std::string& reason) {
  fmt::print(stderr, "{}: left out: {}\n", program, reason);
}

/// And in the end how many of all, where there are any.
inline void say_left_out(const char* program, std::size_t count, std::size_t all, const char* what) {
  if (count > 0) fmt::print(stderr, "{}: {} of {} {} were left out\n", program, count, all, what);
}

/// Says which of some files, or of `what`, were left out, and why.
inline void say_left_out(const char* program, const std::vector<std::string>& reasons, std::size_t all,
                         const char* what = "files") {
  for (const std::string& reason : reasons) say_left_out(program, reason);
  say_left_out(program, reasons.size(), all, what);
}
