#include "weft/data/log_mel.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <complex>
#include <numbers>
#include <vector>

#include "golden/golden.hpp"
#include "weft/base/error.hpp"
#include "weft/base/random.hpp"
#include "weft/data/deltas.hpp"
#include "weft/ops/elementwise.hpp"
#include "weft/ops/reduce.hpp"

using namespace weft;
using namespace weft::data;

namespace {

std::vector<float> noisy_tones(std::size_t count) {
  Generator generator(3);
  std::vector<float> samples;
  for (std::size_t t = 0; t < count; ++t) {
    const double x = static_cast<double>(t);
    samples.push_back(
        static_cast<float>(0.3 * std::sin(0.4 * x) + 0.1 * std::sin(1.9 * x + 0.2) + 0.05 * (generator.uniform() - 0.5)));
  }
  return samples;
}

// The definition, point by point in f64.
std::vector<double> by_definition(const std::vector<float>& samples, LogMelOptions o) {
  if (o.high == 0) o.high = static_cast<double>(o.rate) / 2;
  std::vector<double> emphasised;
  for (std::size_t t = 0; t < samples.size(); ++t)
    emphasised.push_back(static_cast<double>(samples[t]) - o.preemphasis * static_cast<double>(samples[t == 0 ? 0 : t - 1]));
  const double low = mel_of(o.low, o.scale), high = mel_of(o.high, o.scale);
  const auto corner = [&](std::int64_t i) {
    return hertz_of(low + (high - low) * static_cast<double>(i) / static_cast<double>(o.bands + 1), o.scale);
  };
  std::vector<double> result;
  const auto count = static_cast<std::int64_t>(samples.size());
  for (std::int64_t start = 0; start == 0 || start + o.window <= count; start += o.hop) {
    std::vector<double> energies(static_cast<std::size_t>(o.bands));
    for (std::int64_t k = 0; k <= o.fft / 2; ++k) {
      std::complex<double> sum = 0;
      for (std::int64_t t = 0; t < std::min(o.window, count - start); ++t) {
        const double turn = 2 * std::numbers::pi * static_cast<double>(t);
        const double hann = 0.5 - 0.5 * std::cos(turn / static_cast<double>(o.window));
        sum += hann * emphasised[static_cast<std::size_t>(start + t)] *
               std::polar(1.0, -turn * static_cast<double>(k) / static_cast<double>(o.fft));
      }
      const double hertz = static_cast<double>(k) * static_cast<double>(o.rate) / static_cast<double>(o.fft);
      for (std::int64_t b = 0; b < o.bands; ++b) {
        const double left = corner(b), middle = corner(b + 1), right = corner(b + 2);
        double weight = 0;
        if (hertz > left && hertz <= middle) weight = (hertz - left) / (middle - left);
        if (hertz > middle && hertz < right) weight = (right - hertz) / (right - middle);
        energies[static_cast<std::size_t>(b)] += weight * std::norm(sum);
      }
    }
    for (const double energy : energies) result.push_back(std::log(std::max(energy, o.floor)));
  }
  return result;
}

}  // namespace

TEST_CASE("log-mel energies are those of the definition") {
  std::vector<LogMelOptions> settings(5);
  settings[1].scale = MelScale::slaney;
  settings[2] = {.rate = 16000, .window = 400, .hop = 160, .fft = 512, .bands = 30, .low = 60, .high = 7000};
  settings[3] = {.window = 201, .hop = 67, .fft = 321, .bands = 12, .preemphasis = 0};
  settings[4] = {.window = 8, .hop = 8, .fft = 8, .bands = 1};
  for (const LogMelOptions& options : settings) {
    CAPTURE(options.fft);
    const LogMel log_mel(options);
    for (const std::size_t count : {std::size_t{1}, std::size_t{7}, std::size_t{399}, std::size_t{1000}}) {
      const std::vector<float> samples = noisy_tones(count);
      const Tensor found = log_mel(samples);
      const std::vector<double> expected = by_definition(samples, options);
      REQUIRE(found.shape() == Shape{log_mel.frames(static_cast<std::int64_t>(count)), options.bands});
      REQUIRE(static_cast<std::size_t>(found.numel()) == expected.size());
      double worst = 0;
      for (std::size_t i = 0; i < expected.size(); ++i)
        worst = std::max(worst, std::abs(static_cast<double>(found.data<float>()[i]) - expected[i]));
      CHECK(worst < 1e-4);
    }
  }
}

TEST_CASE("log-mel energies and their deltas are torchaudio's") {
  const test::Golden golden = test::Golden::load("sound_features");
  const Tensor samples = golden["samples"].to(f32);
  const std::pair<std::string, LogMelOptions> settings[] = {{"htk", {}},
                                                            {"slaney",
                                                             {.rate = 16000,
                                                              .window = 400,
                                                              .hop = 160,
                                                              .fft = 512,
                                                              .bands = 30,
                                                              .low = 60,
                                                              .high = 7000,
                                                              .scale = MelScale::slaney}}};
  for (const auto& [name, options] : settings) {
    CAPTURE(name);
    const Tensor found = LogMel(options)({samples.data<float>(), static_cast<std::size_t>(samples.numel())});
    for (const auto& [ours, theirs] :
         {std::pair(found, golden[name + ".log_mel"]), std::pair(deltas(found), golden[name + ".deltas"])}) {
      REQUIRE(ours.shape() == theirs.shape());
      CHECK(max(abs(Var(ours.to(f64)) - Var(theirs))).item() < 1e-4);
    }
  }
}

TEST_CASE("silence is the floor, and louder is a shift") {
  const LogMel log_mel({.floor = 1e-6});
  const Tensor silent = log_mel(std::vector<float>(500, 0.0f));
  for (std::int64_t i = 0; i < silent.numel(); ++i)
    CHECK(silent.data<float>()[i] == doctest::Approx(std::log(1e-6)).epsilon(1e-6));
  std::vector<float> samples = noisy_tones(500);
  const Tensor quiet = log_mel(samples);
  for (float& sample : samples) sample *= 2;
  const Tensor loud = log_mel(samples);
  for (std::int64_t i = 0; i < quiet.numel(); ++i)
    CHECK(loud.data<float>()[i] - quiet.data<float>()[i] == doctest::Approx(std::log(4.0)).epsilon(1e-3));
}

TEST_CASE("how many frames a sound has") {
  const LogMel log_mel;
  CHECK(log_mel.frames(0) == 0);
  CHECK(log_mel.frames(1) == 1);
  CHECK(log_mel.frames(200) == 1);
  CHECK(log_mel.frames(279) == 1);
  CHECK(log_mel.frames(280) == 2);
  CHECK_THROWS_WITH_AS(log_mel(std::span<const float>()), "[LogMel] there are no samples", ValueError);
}

TEST_CASE("a sound's rate is the options'") {
  const LogMel log_mel;
  Sound sound{.samples = std::vector<float>(500, 0.25f), .rate = 8000};
  CHECK(log_mel(sound).str() == log_mel(sound.samples).str());
  sound.rate = 16000;
  CHECK_THROWS_WITH_AS(log_mel(sound),
                       "[LogMel] the sound has 16000 samples a second, the options a rate of 8000; take LogMelOptions for its "
                       "rate, or sounds of another one",
                       ValueError);
}

TEST_CASE("both scales of mel, and back") {
  CHECK(mel_of(700, MelScale::htk) == doctest::Approx(2595 * std::log10(2.0)));
  CHECK(mel_of(1000, MelScale::htk) == doctest::Approx(999.9855));  // what HTK's book calls 1,000
  CHECK(mel_of(500, MelScale::slaney) == doctest::Approx(7.5));
  CHECK(mel_of(6400, MelScale::slaney) == doctest::Approx(42));
  for (const MelScale scale : {MelScale::htk, MelScale::slaney})
    for (const double hertz : {0.0, 60.0, 999.0, 1000.0, 1001.0, 4000.0})
      CHECK(hertz_of(mel_of(hertz, scale), scale) == doctest::Approx(hertz));
}

TEST_CASE("options of log-mel energies that can't be are refused") {
  CHECK_THROWS_AS(LogMel({.rate = 0}), ValueError);
  CHECK_THROWS_AS(LogMel({.hop = 0}), ValueError);
  CHECK_THROWS_AS(LogMel({.bands = 0}), ValueError);
  CHECK_THROWS_AS(LogMel({.floor = 0}), ValueError);
  CHECK_THROWS_AS(LogMel({.preemphasis = std::nan("")}), ValueError);
  CHECK_THROWS_WITH_AS(LogMel({.window = 300}), "[LogMel] a transform of 256 points doesn't hold a window of 300 samples",
                       ValueError);
  CHECK_THROWS_WITH_AS(LogMel({.high = 4001}),
                       "[LogMel] bands from 0 to 4001 Hz; they must lie between 0 and half the rate, 4000", ValueError);
  CHECK_THROWS_AS(LogMel({.low = 300, .high = 300}), ValueError);
  CHECK_THROWS_WITH_AS(LogMel({.bands = 120}), doctest::Contains("has no point of a transform of 256"), ValueError);
}
