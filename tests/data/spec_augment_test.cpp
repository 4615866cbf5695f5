#include "weft/data/spec_augment.hpp"

#include <doctest/doctest.h>

#include <set>

#include "support/random.hpp"
#include "weft/base/error.hpp"

using namespace weft;
using namespace weft::data;

namespace {

// The frames, or the bands, of which everything is `value`.
std::set<std::int64_t> hidden(const Tensor& x, int axis, double value) {
  std::set<std::int64_t> result;
  for (std::int64_t i = 0; i < x.size(axis); ++i)
    if (test::largest_difference(x.select(axis, i), Tensor::full(x.select(axis, i).shape(), value)) == 0) result.insert(i);
  return result;
}

bool is_run(const std::set<std::int64_t>& places) {
  return places.empty() || *places.rbegin() - *places.begin() + 1 == static_cast<std::int64_t>(places.size());
}

}  // namespace

TEST_CASE("one mask of each kind hides a run, and nothing else") {
  const Tensor x = test::uniform({40, 10}, 1, 2, 1, f32);
  std::set<std::size_t> widths;
  std::set<std::int64_t> starts;
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    Generator generator(seed);
    const Tensor y =
        spec_augment(x, generator, {.time_masks = 1, .time_width = 6, .frequency_masks = 1, .frequency_width = 3, .value = -7});
    const auto frames = hidden(y, 0, -7), bands = hidden(y, 1, -7);
    CHECK(frames.size() <= 6);
    CHECK(bands.size() <= 3);
    CHECK(is_run(frames));
    CHECK(is_run(bands));
    for (std::int64_t t = 0; t < 40; ++t)
      for (std::int64_t b = 0; b < 10; ++b) CHECK(y.at({t, b}) == (frames.count(t) + bands.count(b) > 0 ? -7 : x.at({t, b})));
    widths.insert(frames.size());
    if (!frames.empty()) starts.insert(*frames.begin());
  }
  CHECK(widths.size() == 7);  // 0 to 6
  CHECK(starts.size() > 25);
  CHECK(test::largest_difference(x, test::uniform({40, 10}, 1, 2, 1, f32)) == 0);
}

TEST_CASE("masks are a function of the generator's state") {
  const Tensor x = test::uniform({30, 8}, 1, 2, 2, f32);
  Generator a(5, 9), b(5, 9), c(5, 10);
  const Tensor first = spec_augment(x, a);
  CHECK(test::largest_difference(first, spec_augment(x, b)) == 0);
  CHECK(test::largest_difference(first, spec_augment(x, c)) > 0);
}

TEST_CASE("no more than a share of the frames is hidden by a mask") {
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    Generator generator(seed);
    const Tensor y = spec_augment(test::uniform({9, 4}, 1, 2, 3, f32), generator,
                                  {.time_masks = 1, .time_width = 50, .time_share = 0.25, .frequency_masks = 0});
    CHECK(hidden(y, 0, 0).size() <= 2);
  }
  Generator generator(1);
  const Tensor x = test::uniform({3, 2}, 1, 2, 4, f32);
  CHECK(test::largest_difference(spec_augment(x, generator, {.time_share = 0, .frequency_masks = 0}), x) == 0);
}

TEST_CASE("masks that can't be are refused") {
  Generator generator(1);
  const Tensor x = Tensor::ones({4, 4});
  CHECK_THROWS_AS(spec_augment(x, generator, {.time_masks = -1}), ValueError);
  CHECK_THROWS_AS(spec_augment(x, generator, {.frequency_width = -1}), ValueError);
  CHECK_THROWS_WITH_AS(spec_augment(x, generator, {.time_share = 1.5}),
                       "[spec_augment] time_share is 1.5; it must be from 0 to 1", ValueError);
  CHECK_THROWS_AS(spec_augment(Tensor::ones({4}), generator), ShapeError);
  CHECK_THROWS_AS(spec_augment(Tensor::ones({4, 4}, f64), generator), DTypeError);
}
