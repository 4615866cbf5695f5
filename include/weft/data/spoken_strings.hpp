#pragma once
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "weft/data/part.hpp"

namespace weft::data {

/// A recording of one word, such as a digit.
struct SpokenWord {
  std::vector<float> samples;
  std::int32_t label = 0;  ///< which word, from 0
  std::string speaker;
  std::int64_t take = 0;  ///< the speaker's how many-th of this word
};

struct SpokenStringOptions {
  std::int64_t strings = 1000;
  std::int64_t min_words = 3, max_words = 7;
  double min_pause = 0.05, max_pause = 0.2;  ///< seconds between two words
  double max_margin = 0.1;                   ///< most seconds before the first word, and behind the last
  double noise = 1e-4;                       ///< deviation of the noise that pauses and margins are made of
  std::int64_t rate = 8000;                  ///< samples a second
  std::uint64_t seed = 1;
  Part part = Part::training;
};

/// Recordings of one speaker one after the other.
struct SpokenString {
  std::vector<std::size_t> words;    ///< which of the recordings
  std::vector<std::int64_t> pauses;  ///< samples before each word, and behind the last: one more than words
  std::uint64_t number = 0;          ///< of its noise
};

/// Strings of an epoch, a function of (recordings, options, epoch) alone: speaker, number of words, each word, which of the
/// speaker's recordings of it and the pauses are drawn evenly. Throws ValueError for no recordings, a recording without samples
/// and options that can't be.
std::vector<SpokenString> compose_strings(std::span<const SpokenWord> words, const SpokenStringOptions& options,
                                          std::uint64_t epoch = 0);

/// How many samples it has, and what is said in it.
std::int64_t samples_of(std::span<const SpokenWord> words, const SpokenString& string);
std::vector<std::int32_t> labels_of(std::span<const SpokenWord> words, const SpokenString& string);

/// Its sound.
std::vector<float> joined(std::span<const SpokenWord> words, const SpokenString& string, const SpokenStringOptions& options);

/// Recordings made by code, for programs and tests without data: ten words, each two tones one after the other that no other
/// word has together, of 0.2 to 0.3 s, with noise; each speaker has another pitch. `takes` of each word by each speaker.
std::vector<SpokenWord> tone_words(std::int64_t speakers, std::int64_t takes, std::int64_t rate = 8000, std::uint64_t seed = 1);

}  // namespace weft::data
