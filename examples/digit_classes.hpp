#pragma once
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <string>
#include <vector>

#include "weft/base/error.hpp"

/// Whether there is of each digit what a program learns from or measures with.
namespace digit_classes {

inline constexpr std::int32_t digits = 10;

enum class Use { learn, measure };

/// `items` of `data` by their digits. Throws FormatError where there are none, and to learn from where a digit has none; where
/// it has none to measure with that is said on the error output.
inline void check(const char* program, const std::string& data, const char* items, const std::vector<std::int32_t>& labels,
                  Use use) {
  if (labels.empty()) throw weft::FormatError(fmt::format("{} has no {}", data, items));
  std::vector<std::int32_t> missing;
  for (std::int32_t digit = 0; digit < digits; ++digit)
    if (std::find(labels.begin(), labels.end(), digit) == labels.end()) missing.push_back(digit);
  if (missing.empty()) return;
  const std::string what =
      fmt::format("{} has no {} of {} of the {} digits: {}", data, items, missing.size(), digits, fmt::join(missing, ", "));
  if (use == Use::learn) throw weft::FormatError(what + "; each is needed");
  fmt::print(stderr, "{}: {}; the score is without them\n", program, what);
}

}  // namespace digit_classes
