#include "weft/data/deltas.hpp"

#include <doctest/doctest.h>

#include <algorithm>

#include "support/random.hpp"
#include "weft/base/error.hpp"

using namespace weft;
using namespace weft::data;

TEST_CASE("deltas are the regression of the frames around, the ends repeated") {
  for (const std::int64_t window : {1, 2, 3}) {
    const Tensor x = test::uniform({5, 3}, -1, 1, 4, f32), d = deltas(x, window);
    double scale = 0;
    for (std::int64_t n = 1; n <= window; ++n) scale += 2.0 * static_cast<double>(n * n);
    for (std::int64_t t = 0; t < 5; ++t)
      for (std::int64_t i = 0; i < 3; ++i) {
        double sum = 0;
        for (std::int64_t n = -window; n <= window; ++n)
          sum += static_cast<double>(n) * x.at({std::clamp<std::int64_t>(t + n, 0, 4), i});
        CHECK(d.at({t, i}) == doctest::Approx(sum / scale).epsilon(1e-5));
      }
  }
  CHECK(test::largest(deltas(Tensor::ones({1, 4}))) == 0);
}

TEST_CASE("a slope is what deltas give away from the ends") {
  Tensor x = Tensor::empty({9, 1});
  for (std::int64_t t = 0; t < 9; ++t) x.mutable_data<float>()[t] = 0.5f * static_cast<float>(t);
  CHECK(deltas(x).at({4, 0}) == doctest::Approx(0.5));
}

TEST_CASE("features with their deltas, of any number of orders") {
  const Tensor x = test::uniform({6, 2}, -1, 1, 5, f32), all = with_deltas(x, 2);
  REQUIRE(all.shape() == Shape{6, 6});
  CHECK(test::largest_difference(all.slice(1, 0, 2), x) == 0);
  CHECK(test::largest_difference(all.slice(1, 2, 4), deltas(x)) == 0);
  CHECK(test::largest_difference(all.slice(1, 4, 6), deltas(deltas(x))) == 0);
  CHECK(test::largest_difference(with_deltas(x, 0), x) == 0);
}

TEST_CASE("neighbouring frames become one, zeros behind the end") {
  const Tensor x = test::uniform({5, 2}, -1, 1, 6, f32), two = stack_frames(x, 2);
  REQUIRE(two.shape() == Shape{3, 4});
  CHECK(test::largest_difference(two.slice(0, 0, 2), x.slice(0, 0, 4).reshape({2, 4})) == 0);
  CHECK(test::largest_difference(two.select(0, 2).slice(0, 0, 2), x.select(0, 4)) == 0);
  CHECK(test::largest(two.select(0, 2).slice(0, 2, 4)) == 0);
  CHECK(test::largest_difference(stack_frames(x, 1), x) == 0);
}

TEST_CASE("features that can't be are refused") {
  const Tensor x = Tensor::zeros({4, 2});
  CHECK_THROWS_WITH_AS(deltas(x, 0), "[deltas] window is 0; it must be 1 or more", ValueError);
  CHECK_THROWS_AS(deltas(Tensor::zeros({4})), ShapeError);
  CHECK_THROWS_AS(deltas(Tensor::zeros({0, 2})), ShapeError);
  CHECK_THROWS_AS(deltas(Tensor::zeros({4, 2}, f64)), DTypeError);
  CHECK_THROWS_AS(with_deltas(x, -1), ValueError);
  CHECK_THROWS_AS(stack_frames(x, 0), ValueError);
}
