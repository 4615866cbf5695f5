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

/// A folder's recordings; what is left out is said and counted, also what is too short to hold a word.
inline Parts read_parts(const char* program, const std::string& folder, std::int64_t rate) {
  weft::data::SpokenDigits digits = weft::data::read_spoken_digits(folder, rate);
  const auto shortest = static_cast<std::size_t>(rate / 20);  // 0.05 s
  std::erase_if(digits.words, [&](const weft::data::SpokenWord& word) {
    if (word.samples.size() >= shortest) return false;
    digits.left_out.push_back(fmt::format("{}: the recording {}_{}_{} has {} samples, less than 0.05 s: no word is so short",
                                          folder, word.label, word.speaker, word.take, word.samples.size()));
    return true;
  });
  say_left_out(program, digits.left_out, digits.left_out.size() + digits.words.size());
  return parts_of(std::move(digits.words));
}

}  // namespace spoken_takes
