#pragma once
#include <fmt/format.h>

#include <cstdio>
#include <string>
#include <utility>
#include <vector>

#include "weft/data/spoken_digits.hpp"

/// Recordings of digits by what they are for.
namespace spoken_takes {

/// By the take: the test's first, as the data's description says, then those to validate on.
inline constexpr std::int64_t test_takes = 5, validation_takes = 3;

struct Parts {
  std::vector<weft::data::SpokenWord> test, validation, train;
};

inline Parts parts_of(std::vector<weft::data::SpokenWord> words) {
  Parts parts;
  for (weft::data::SpokenWord& word : words)
    (word.take < test_takes                      ? parts.test
     : word.take < test_takes + validation_takes ? parts.validation
                                                 : parts.train)
        .push_back(std::move(word));
  return parts;
}

inline void say_left_out(const char* program, const std::vector<std::string>& reasons, std::size_t all) {
  for (const std::string& reason : reasons) fmt::print(stderr, "{}: left out: {}\n", program, reason);
  if (!reasons.empty()) fmt::print(stderr, "{}: {} of {} files were left out\n", program, reasons.size(), all);
}

/// A folder's recordings; what is left out is said and counted.
inline Parts read_parts(const char* program, const std::string& folder, std::int64_t rate) {
  weft::data::SpokenDigits digits = weft::data::read_spoken_digits(folder, rate);
  say_left_out(program, digits.left_out, digits.left_out.size() + digits.words.size());
  return parts_of(std::move(digits.words));
}

}  // namespace spoken_takes
