#include "weft/data/spoken_strings.hpp"

#include <cmath>
#include <map>
#include <numbers>

#include "base/draws.hpp"
#include "base/fail.hpp"
#include "weft/base/random.hpp"

namespace weft::data {
namespace {

constexpr const char* where = "compose_strings";

// The recordings of each word that a speaker has said.
using Takes = std::vector<std::vector<std::size_t>>;

std::vector<Takes> by_speaker(std::span<const SpokenWord> words) {
  std::map<std::string, std::map<std::int32_t, std::vector<std::size_t>>> sorted;
  for (std::size_t i = 0; i < words.size(); ++i) {
    check<ValueError>(!words[i].samples.empty(), where, "recording {} (word {} of {}) has no samples", i, words[i].label,
                      words[i].speaker);
    sorted[words[i].speaker][words[i].label].push_back(i);
  }
  std::vector<Takes> speakers;
  for (auto& [speaker, labels] : sorted) {
    speakers.emplace_back();
    for (auto& [label, takes] : labels) speakers.back().push_back(std::move(takes));
  }
  return speakers;
}

void check_options(const SpokenStringOptions& o) {
  check<ValueError>(o.strings > 0 && o.rate > 0, where, "{} strings, {} samples a second; both must be positive", o.strings,
                    o.rate);
  check<ValueError>(o.min_words >= 1 && o.min_words <= o.max_words, where,
                    "strings of {} to {} words; the first must be 1 or more and not above the second", o.min_words,
                    o.max_words);
  check<ValueError>(o.min_pause >= 0 && o.min_pause <= o.max_pause && std::isfinite(o.max_pause) && o.max_margin >= 0 &&
                        std::isfinite(o.max_margin) && o.noise >= 0 && std::isfinite(o.noise),
                    where, "pauses of {} to {} s, margins up to {} s, noise {}; they must be finite, in order and not negative",
                    o.min_pause, o.max_pause, o.max_margin, o.noise);
}

template <class T>
const T& drawn(const std::vector<T>& from, Generator& generator) {
  return from[generator.below(from.size())];
}

// Normal noise: sample i of stream `stream` is a function of (seed, stream, i).
void add_noise(std::span<float> samples, double deviation, std::uint64_t seed, std::uint64_t stream) {
  for (std::size_t i = 0; i < samples.size(); i += 2) {
    const auto pair = detail::normal_draws(detail::uniform_draws(seed, stream, i / 2), deviation);
    samples[i] += static_cast<float>(pair.first);
    if (i + 1 < samples.size()) samples[i + 1] += static_cast<float>(pair.second);
  }
}

// Uniform in low to high, out of a number in [0, 1).
double between(double low, double high, double share) { return low + (high - low) * share; }

SpokenWord tone_word(std::int64_t speaker, std::int32_t label, std::int64_t take, std::int64_t rate, std::uint64_t seed) {
  Generator draws(seed ^ hash_of("tone_words"), static_cast<std::uint64_t>((speaker * 10 + label) * 1'000'003 + take) << 4);
  const double pitch = 1 + 0.03 * static_cast<double>(speaker % 5 - 2);
  const double tones[2] = {pitch * 400 * std::pow(1.35, label % 5),
                           pitch * 600 * std::pow(1.8, static_cast<double>(label / 5))};
  const double seconds = between(0.2, 0.3, draws.uniform()), loudness = between(0.1, 0.4, draws.uniform());
  SpokenWord word{std::vector<float>(static_cast<std::size_t>(seconds * static_cast<double>(rate))), label,
                  fmt::format("speaker{}", speaker), take};
  for (std::size_t t = 0; t < word.samples.size(); ++t) {
    const double hertz = tones[t * 2 / word.samples.size()] / static_cast<double>(rate);
    word.samples[t] = static_cast<float>(loudness * std::sin(2 * std::numbers::pi * hertz * static_cast<double>(t)));
  }
  add_noise(word.samples, 0.01, draws.bits(), 0);
  return word;
}

}  // namespace

std::vector<SpokenString> compose_strings(std::span<const SpokenWord> words, const SpokenStringOptions& options,
                                          std::uint64_t epoch) {
  check_options(options);
  check<ValueError>(!words.empty(), where, "there are no recordings to make strings of");
  const std::vector<Takes> speakers = by_speaker(words);
  Generator generator(seed_of(options.seed, options.part) ^ hash_of("strings"), epoch << 40);  // 2^40 positions an epoch
  const auto samples = [&](double low, double high) {
    return static_cast<std::int64_t>(between(low, high, generator.uniform()) * static_cast<double>(options.rate));
  };
  std::vector<SpokenString> strings;
  for (std::int64_t s = 0; s < options.strings; ++s) {
    const Takes& speaker = drawn(speakers, generator);
    const auto lengths = static_cast<std::uint64_t>(options.max_words - options.min_words + 1);
    const std::uint64_t count = static_cast<std::uint64_t>(options.min_words) + generator.below(lengths);
    SpokenString& string = strings.emplace_back();
    for (std::uint64_t w = 0; w < count; ++w) {
      string.pauses.push_back(w == 0 ? samples(0, options.max_margin) : samples(options.min_pause, options.max_pause));
      string.words.push_back(drawn(drawn(speaker, generator), generator));
    }
    string.pauses.push_back(samples(0, options.max_margin));
    string.number = generator.bits();
  }
  return strings;
}

std::int64_t samples_of(std::span<const SpokenWord> words, const SpokenString& string) {
  std::int64_t samples = 0;
  for (const std::int64_t pause : string.pauses) samples += pause;
  for (const std::size_t word : string.words) samples += static_cast<std::int64_t>(words[word].samples.size());
  return samples;
}

std::vector<std::int32_t> labels_of(std::span<const SpokenWord> words, const SpokenString& string) {
  std::vector<std::int32_t> labels;
  for (const std::size_t word : string.words) labels.push_back(words[word].label);
  return labels;
}

std::vector<float> joined(std::span<const SpokenWord> words, const SpokenString& string, const SpokenStringOptions& options) {
  std::vector<float> samples;
  samples.reserve(static_cast<std::size_t>(samples_of(words, string)));
  const auto pause = [&](std::size_t i) {
    std::vector<float> quiet(static_cast<std::size_t>(string.pauses[i]));
    add_noise(quiet, options.noise, string.number, i);
    samples.insert(samples.end(), quiet.begin(), quiet.end());
  };
  for (std::size_t i = 0; i < string.words.size(); ++i) {
    pause(i);
    const std::vector<float>& word = words[string.words[i]].samples;
    samples.insert(samples.end(), word.begin(), word.end());
  }
  pause(string.words.size());
  return samples;
}

std::vector<SpokenWord> tone_words(std::int64_t speakers, std::int64_t takes, std::int64_t rate, std::uint64_t seed) {
  check<ValueError>(speakers > 0 && takes > 0 && rate >= 8000, "tone_words",
                    "{} speakers, {} takes, {} samples a second; the first two must be positive, the rate 8000 or more",
                    speakers, takes, rate);
  std::vector<SpokenWord> words;
  for (std::int64_t speaker = 0; speaker < speakers; ++speaker)
    for (std::int32_t label = 0; label < 10; ++label)
      for (std::int64_t take = 0; take < takes; ++take) words.push_back(tone_word(speaker, label, take, rate, seed));
  return words;
}

}  // namespace weft::data
