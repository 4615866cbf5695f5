#pragma once
#include <fmt/format.h>

#include <string>
#include <vector>

#include "speech_settings.hpp"
#include "spoken_takes.hpp"

/// The strings that a run is tested on.
namespace spoken_strings {

using namespace speech_settings;

/// Where a test's strings come from, and which they are.
struct TestStrings {
  std::string folder;
  bool quick = false;
  data::SpokenStringOptions strings = {.strings = 500, .part = data::Part::test};
};

inline void add_test_options(po::options_description& options, TestStrings& test) {
  options.add_options()("data", option(test.folder), "folder of the recordings")(
      "strings", number(test.strings.strings, 1, largest_size), "of 3 to 7 digits, put together from test recordings")(
      "string-seed", number(test.strings.seed, 0), "of which strings they are")("quick", po::bool_switch(&test.quick),
                                                                                "of the generated tones");
}

inline std::vector<data::SpokenWord> read_test(const TestStrings& test) {
  if (test.quick) {
    refuse_data(test.folder, "data");
    return spoken_takes::parts_of(data::tone_words(3, 12)).test;
  }
  spoken_takes::Parts parts = spoken_takes::read_parts("speech", required(test.folder, "data"), rate);
  spoken_takes::check_test("speech", test.folder, parts);
  return std::move(parts.test);
}

}  // namespace spoken_strings
