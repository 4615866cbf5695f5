#include "weft/data/digit_pairs.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>

#include "support/random.hpp"
#include "weft/base/error.hpp"
#include "weft/data/moving_digits.hpp"

using namespace weft;
using data::DigitPair;
using data::DigitPairs;
using data::Sense;

namespace {

// The deviation of what was added to the nearest of the candidates.
template <class Distance>
double least_of(std::size_t count, const Distance& distance) {
  double least = 1e30;
  for (std::size_t i = 0; i < count; ++i) least = std::min(least, distance(i));
  return least;
}

}  // namespace

TEST_CASE("each pair is of one class, one of the two spoilt by noise of the size that was asked for") {
  const auto sounds = data::tone_words(2, 3);
  const auto images = data::made_digits(50, 1);
  const DigitPairs pairs(sounds, images, {.sound_noise = 2, .image_noise = 0.5, .seed = 3});
  CHECK(pairs.classes() == 10);
  std::vector<int> of_class(10);
  int sound_spoilt = 0;
  constexpr int count = 400;
  for (std::uint64_t index = 0; index < count; ++index) {
    const DigitPair pair = pairs.pair(index);
    ++of_class[static_cast<std::size_t>(pair.label)];
    sound_spoilt += pair.spoilt == Sense::sound ? 1 : 0;
    const double sound_off = least_of(sounds.size(), [&](std::size_t i) {
      if (sounds[i].label != pair.label || sounds[i].samples.size() != pair.samples.size()) return 1e30;
      double added = 0, squares = 0;
      for (std::size_t t = 0; t < pair.samples.size(); ++t) {
        const auto clean = static_cast<double>(sounds[i].samples[t]);
        added += std::pow(static_cast<double>(pair.samples[t]) - clean, 2);
        squares += clean * clean;
      }
      return std::sqrt(added / squares);
    });
    const double image_off = least_of(50, [&](std::size_t i) {
      const auto at = static_cast<std::int64_t>(i);
      if (images.labels.at({at}) != pair.label) return 1e30;
      double added = 0;
      const Tensor clean = images.images.select(0, at).contiguous();
      for (std::int64_t p = 0; p < clean.numel(); ++p)
        added += std::pow(static_cast<double>(pair.image.data<float>()[p] - clean.data<float>()[p]), 2);
      return std::sqrt(added / static_cast<double>(clean.numel()));
    });
    CHECK(sound_off == doctest::Approx(pair.spoilt == Sense::sound ? 2 : 0).epsilon(0.1));
    CHECK(image_off == doctest::Approx(pair.spoilt == Sense::image ? 0.5 : 0).epsilon(0.1));
  }
  CHECK(std::abs(sound_spoilt - count / 2) < 40);
  CHECK(*std::min_element(of_class.begin(), of_class.end()) > 15);
}

TEST_CASE("a pair is a function of seed and index") {
  const auto sounds = data::tone_words(2, 3);
  const auto images = data::made_digits(50, 1);
  const DigitPairs one(sounds, images, {.seed = 3}), same(sounds, images, {.seed = 3}), other(sounds, images, {.seed = 4});
  int differing = 0;
  for (std::uint64_t index = 0; index < 20; ++index) {
    const DigitPair a = one.pair(index), b = same.pair(index);
    CHECK(a.samples == b.samples);
    CHECK(test::largest_difference(a.image, b.image) == 0);
    differing += other.pair(index).samples != a.samples ? 1 : 0;
  }
  CHECK(differing > 15);
  CHECK(one.describe() == same.describe());
  CHECK(one.describe() != other.describe());
}

TEST_CASE("only classes that are heard and seen are asked for") {
  auto sounds = data::tone_words(1, 1);
  std::erase_if(sounds, [](const data::SpokenWord& word) { return word.label > 4; });
  auto images = data::made_digits(10, 1);
  images = {images.images.slice(0, 3, 10), images.labels.slice(0, 3, 10)};
  const DigitPairs pairs(sounds, images);
  for (std::uint64_t index = 0; index < 50; ++index) {
    const std::int32_t label = pairs.pair(index).label;
    CHECK((label == 3 || label == 4));
  }
}

TEST_CASE("what no pairs can be made of is refused") {
  auto sounds = data::tone_words(1, 1);
  const auto images = data::made_digits(10, 1);
  CHECK_THROWS_WITH_AS(DigitPairs({}, images), "[DigitPairs] no class has both: 0 recordings, 10 images", ValueError);
  CHECK_THROWS_WITH_AS(DigitPairs(sounds, {images.images, Tensor::zeros({3}, i32)}), doctest::Contains("labels i32[3] are not"),
                       ShapeError);
  CHECK_THROWS_AS(DigitPairs(sounds, {images.images.to(f64), images.labels}), DTypeError);
  CHECK_THROWS_WITH_AS(DigitPairs(sounds, images, {.sound_noise = -1}), doctest::Contains("sound_noise is -1"), ValueError);
  CHECK_THROWS_WITH_AS(DigitPairs(sounds, {images.images, Tensor::full({10}, -1, i32)}),
                       "[DigitPairs] an image has the label -1; 0 or more are needed", ValueError);
  sounds[2].samples.clear();
  CHECK_THROWS_WITH_AS(DigitPairs(sounds, images), "[DigitPairs] recording 2 has no samples", ValueError);
}
