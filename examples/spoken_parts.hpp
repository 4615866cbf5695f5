#pragma once
#include <fmt/format.h>

#include <string>
#include <utility>
#include <vector>

#include "speech_settings.hpp"
#include "weft/data/spoken_digits.hpp"

/// Recordings of digits by what they are for, and the strings that a run is tested on.
namespace spoken_parts {

using namespace speech_settings;

// By the take: the test's first, as the data's description says, then those to validate on.
struct Parts {
  std::vector<data::SpokenWord> test, validation, train;
};

inline Parts parts_of(std::vector<data::SpokenWord> words) {
  constexpr std::int64_t test_takes = 5, validation_takes = 3;
  Parts parts;
  for (data::SpokenWord& word : words)
    (word.take < test_takes                      ? parts.test
     : word.take < test_takes + validation_takes ? parts.validation
                                                 : parts.train)
        .push_back(std::move(word));
  return parts;
}

inline void say_left_out(const std::vector<std::string>& reasons, std::size_t all) {
  for (const std::string& reason : reasons) fmt::print(stderr, "speech: left out: {}\n", reason);
  if (!reasons.empty()) fmt::print(stderr, "speech: {} of {} files were left out\n", reasons.size(), all);
}

inline Parts read_parts(const std::string& folder) {
  data::SpokenDigits digits = data::read_spoken_digits(folder, rate);
  say_left_out(digits.left_out, digits.left_out.size() + digits.words.size());
  return parts_of(std::move(digits.words));
}

/// Where a test's strings come from, and which they are.
struct TestStrings {
  std::string folder;
  data::SpokenStringOptions strings = {.strings = 500};
};

inline void add_test_options(po::options_description& options, TestStrings& test) {
  options.add_options()("data", option(test.folder), "folder of the recordings")(
      "strings", number(test.strings.strings, 1, largest_size), "of 3 to 7 digits, put together from test recordings")(
      "string-seed", number(test.strings.seed, 0), "of which strings they are");
}

inline std::vector<data::SpokenWord> read_test(const TestStrings& test) {
  std::vector<data::SpokenWord> words = read_parts(required(test.folder, "data")).test;
  if (words.empty()) throw FormatError(fmt::format("{} has no test recordings: takes 0 to 4", test.folder));
  return words;
}

}  // namespace spoken_parts
