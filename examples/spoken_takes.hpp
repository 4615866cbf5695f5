#pragma once
#include <string>
#include <utility>
#include <vector>

#include "digit_classes.hpp"
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
  weft::data::SpokenDigits digits = weft::data::read_spoken_digits(folder, rate, 0.05);
  say_left_out(program, digits.left_out, digits.left_out.size() + digits.words.size());
  return parts_of(std::move(digits.words));
}

/// digit_classes::check of recordings.
inline void check_part(const char* program, const std::string& folder, const char* items,
                       const std::vector<weft::data::SpokenWord>& part, digit_classes::Use use) {
  std::vector<std::int32_t> labels;
  for (const weft::data::SpokenWord& word : part) labels.push_back(word.label);
  digit_classes::check(program, folder, items, labels, use);
}

inline void check_training(const char* program, const std::string& folder, const Parts& parts) {
  check_part(program, folder, "recordings to learn from (takes 8 and more)", parts.train, digit_classes::Use::learn);
  check_part(program, folder, "recordings to validate on (takes 5 to 7)", parts.validation, digit_classes::Use::measure);
}

inline void check_test(const char* program, const std::string& folder, const Parts& parts) {
  check_part(program, folder, "test recordings (takes 0 to 4)", parts.test, digit_classes::Use::measure);
}

}  // namespace spoken_takes
