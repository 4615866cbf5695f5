#include "weft/data/spoken_strings.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "weft/base/error.hpp"

using namespace weft;
using namespace weft::data;

TEST_CASE("strings are of one speaker, of all lengths, and a function of seed and epoch") {
  const std::vector<SpokenWord> words = tone_words(3, 4);
  const SpokenStringOptions options{.strings = 300};
  const auto strings = compose_strings(words, options), again = compose_strings(words, options);
  REQUIRE(strings.size() == 300);
  std::set<std::size_t> lengths, used;
  for (std::size_t s = 0; s < strings.size(); ++s) {
    CHECK(strings[s].words == again[s].words);
    CHECK(strings[s].pauses == again[s].pauses);
    CHECK(strings[s].number == again[s].number);
    REQUIRE(strings[s].pauses.size() == strings[s].words.size() + 1);
    lengths.insert(strings[s].words.size());
    for (std::size_t i = 0; i < strings[s].words.size(); ++i) {
      CHECK(words[strings[s].words[i]].speaker == words[strings[s].words[0]].speaker);
      used.insert(strings[s].words[i]);
      const std::int64_t pause = strings[s].pauses[i];
      CHECK(pause >= (i == 0 ? 0 : 400));
      CHECK(pause < (i == 0 ? 800 : 1600));
    }
    CHECK(strings[s].pauses.back() < 800);
  }
  CHECK(lengths == std::set<std::size_t>{3, 4, 5, 6, 7});
  CHECK(used.size() == words.size());
  CHECK(compose_strings(words, options, 1)[0].number != strings[0].number);
  CHECK(compose_strings(words, {.strings = 300, .seed = 2})[0].number != strings[0].number);
}

TEST_CASE("a string's sound is its recordings with pauses of faint noise") {
  const std::vector<SpokenWord> words = tone_words(1, 2);
  const SpokenStringOptions options{.strings = 5, .noise = 0.001};
  for (const SpokenString& string : compose_strings(words, options)) {
    const std::vector<float> sound = joined(words, string, options);
    CHECK(static_cast<std::int64_t>(sound.size()) == samples_of(words, string));
    CHECK(sound == joined(words, string, options));
    std::size_t place = 0;
    double squares = 0, quiet = 0;
    const auto pause = [&](std::int64_t samples) {
      for (std::int64_t i = 0; i < samples; ++i, ++place) squares += std::pow(static_cast<double>(sound[place]), 2);
      quiet += static_cast<double>(samples);
    };
    for (std::size_t i = 0; i < string.words.size(); ++i) {
      pause(string.pauses[i]);
      const std::vector<float>& word = words[string.words[i]].samples;
      CHECK(std::equal(word.begin(), word.end(), sound.begin() + static_cast<std::ptrdiff_t>(place)));
      place += word.size();
    }
    pause(string.pauses.back());
    CHECK(std::sqrt(squares / quiet) == doctest::Approx(0.001).epsilon(0.1));
    const std::vector<std::int32_t> labels = labels_of(words, string);
    for (std::size_t i = 0; i < labels.size(); ++i) CHECK(labels[i] == words[string.words[i]].label);
  }
  const SpokenString bare{{0, 3}, {0, 0, 0}, 1};
  const std::vector<float> sound = joined(words, bare, {.noise = 0});
  CHECK(sound.size() == words[0].samples.size() + words[3].samples.size());
}

TEST_CASE("words that a speaker hasn't said aren't put into his strings") {
  std::vector<SpokenWord> words = tone_words(2, 1);
  std::erase_if(words, [](const SpokenWord& word) { return word.speaker == "speaker0" && word.label != 4; });
  std::map<std::string, std::set<std::int32_t>> said;
  for (const SpokenString& string : compose_strings(words, {.strings = 200}))
    for (const std::size_t word : string.words) said[words[word].speaker].insert(words[word].label);
  CHECK(said["speaker0"] == std::set<std::int32_t>{4});
  CHECK(said["speaker1"].size() == 10);
}

TEST_CASE("tones are the same each time, and each word's differ") {
  const auto words = tone_words(2, 3), again = tone_words(2, 3);
  REQUIRE(words.size() == 60);
  std::set<std::vector<float>> different;
  for (std::size_t i = 0; i < words.size(); ++i) {
    CHECK(words[i].samples == again[i].samples);
    CHECK(words[i].samples.size() >= 1600);
    CHECK(words[i].samples.size() <= 2400);
    different.insert(words[i].samples);
  }
  CHECK(different.size() == 60);
  CHECK_THROWS_AS(tone_words(0, 1), ValueError);
  CHECK_THROWS_AS(tone_words(1, 1, 4000), ValueError);
}

TEST_CASE("strings that can't be are refused") {
  std::vector<SpokenWord> words = tone_words(1, 1);
  CHECK_THROWS_WITH_AS(compose_strings({}, {}), "[compose_strings] there are no recordings to make strings of", ValueError);
  CHECK_THROWS_AS(compose_strings(words, {.strings = 0}), ValueError);
  CHECK_THROWS_AS(compose_strings(words, {.min_words = 0}), ValueError);
  CHECK_THROWS_AS(compose_strings(words, {.min_words = 8}), ValueError);
  CHECK_THROWS_AS(compose_strings(words, {.min_pause = 0.3}), ValueError);
  CHECK_THROWS_AS(compose_strings(words, {.max_margin = -1}), ValueError);
  CHECK_THROWS_AS(compose_strings(words, {.noise = std::nan("")}), ValueError);
  words[7].samples.clear();
  CHECK_THROWS_WITH_AS(compose_strings(words, {}), "[compose_strings] recording 7 (word 7 of speaker0) has no samples",
                       ValueError);
}
