#pragma once
#include <string>
#include <utility>
#include <vector>

#include "left_out.hpp"
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

/// A folder's recordings; what is left out is said and counted.
inline Parts read_parts(const char* program, const std::string& folder, std::int64_t rate) {
  weft::data::SpokenDigits digits = weft::data::read_spoken_digits(folder, rate);
  say_left_out(program, digits.left_out, digits.left_out.size() + digits.words.size());
  return parts_of(std::move(digits.words));
}

}  // namespace spoken_takes
