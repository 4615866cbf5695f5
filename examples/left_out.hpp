#pragma once
#include <fmt/format.h>

#include <cstdio>
#include <string>
#include <vector>

/// Says which of some files were left out, and why.
inline void say_left_out(const char* program, const std::vector<std::string>& reasons, std::size_t all) {
  for (const std::string& reason : reasons) fmt::print(stderr, "{}: left out: {}\n", program, reason);
  if (!reasons.empty()) fmt::print(stderr, "{}: {} of {} files were left out\n", program, reasons.size(), all);
}
