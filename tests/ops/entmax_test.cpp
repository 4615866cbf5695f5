#include "weft/ops/entmax.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "support/plain_entmax.hpp"
#include "support/random.hpp"
#include "weft/autograd/tape.hpp"
#include "weft/base/error.hpp"
#include "weft/ops/elementwise.hpp"
#include "weft/ops/reduce.hpp"

using namespace weft;
using namespace weft::test;

namespace {

constexpr double inf = std::numeric_limits<double>::infinity(), quiet_nan = std::numeric_limits<double>::quiet_NaN();

using Function = Var (*)(const Var&, int, const Tensor&);

Tensor gradient(Function f, const Tensor& x, const Tensor& mask, const Tensor& cotangent, bool create_graph) {
  Tape tape;
  const Var leaf = tape.leaf(x);
  tape.backward(f(leaf, -1, mask), cotangent, {.create_graph = create_graph});
  return tape.grad(leaf);
}

}  // namespace

TEST_CASE("sparsemax and entmax15 are what bisection finds") {
  for (const std::int64_t n : {1, 2, 3, 8, 57})
    for (const double range : {0.01, 1.0, 6.0}) {
      const Tensor x = uniform({6, n}, -range, range, static_cast<std::uint64_t>(n));
      const Tensor sparse = sparsemax(x, -1).value(), between = entmax15(x, -1).value();
      for (std::int64_t r = 0; r < 6; ++r) {
        std::vector<double> row;
        for (std::int64_t j = 0; j < n; ++j) row.push_back(x.at({r, j}));
        const std::vector<double> a = plain_entmax(row, 1, 1), b = plain_entmax(row, 0.5, 2);
        for (std::int64_t j = 0; j < n; ++j) {
          CHECK(std::abs(sparse.at({r, j}) - a[static_cast<std::size_t>(j)]) <= 1e-12);
          CHECK(std::abs(between.at({r, j}) - b[static_cast<std::size_t>(j)]) <= 1e-12);
        }
      }
      CHECK(largest_difference(sum(sparse, {1}).value(), Tensor::ones({6}, f64)) <= 1e-13);
      CHECK(largest_difference(sum(between, {1}).value(), Tensor::ones({6}, f64)) <= 1e-13);
    }
}

TEST_CASE("sparsemax and entmax15 by hand, in both precisions and along any axis") {
  for (const DType type : {f32, f64}) {
    const Tensor x = Tensor::from<double>({0.5, 0, -0.5, 3}, {4}).to(type);
    const Tensor y = sparsemax(x.slice(0, 0, 3), 0).value();
    CHECK(y.at({0}) == doctest::Approx(0.75));
    CHECK(y.at({1}) == doctest::Approx(0.25));
    CHECK(y.at({2}) == 0);
    CHECK(sparsemax(x, 0).value().at({3}) == 1);
    CHECK(entmax15(x, 0).value().at({3}) == 1);
    // Two scores d / 2 = 1 / 2 apart: t = 1 / 4 - sqrt(7) / 4.
    const Tensor two = entmax15(Tensor::from<double>({0, 1}, {2}).to(type), 0).value();
    CHECK(two.at({0}) == doctest::Approx((4 - std::sqrt(7.0)) / 8));
    CHECK(two.at({1}) == doctest::Approx((4 + std::sqrt(7.0)) / 8));
    for (const Function f : {sparsemax, entmax15}) {
      const Tensor equal = f(Tensor::full({4, 3}, 1e6, type), 0, {}).value();
      CHECK(largest_difference(equal, Tensor::full({4, 3}, 0.25, type)) == 0);
      const Tensor m = uniform({3, 4, 2}, -1, 1, 5, type), mask = coins({3, 4, 1}, 0.7, 6);
      CHECK(largest_difference(f(m, 1, mask).value(), f(m.transpose(1, 2), -1, mask.transpose(1, 2)).value().transpose(1, 2)) ==
            0);
      CHECK(f(Tensor::full({}, 3, type), 0, {}).item() == 1);
    }
  }
}

TEST_CASE("scores so large that 1 less is the same number have weights that add up to 1") {
  for (const Function f : {sparsemax, entmax15}) {
    for (const DType type : {f32, f64}) {
      const Tensor one = f(Tensor::from<double>({1e16, 0, 1e15, -1e30}, {4}).to(type), 0, {}).value();
      CHECK(largest_difference(one, Tensor::from<double>({1, 0, 0, 0}, {4}).to(type)) == 0);
      const Tensor two = f(Tensor::from<double>({3e38, -3e38, 3e38, 0}, {4}).to(type), 0, {}).value();
      CHECK(largest_difference(two, Tensor::from<double>({0.5, 0, 0.5, 0}, {4}).to(type)) <= (type == f32 ? 1e-7 : 1e-15));
    }
    const Tensor farthest = f(Tensor::from<double>({-1.7e308, 1.7e308, -inf}, {3}), 0, {}).value();
    CHECK(largest_difference(farthest, Tensor::from<double>({0, 1, 0}, {3})) == 0);
    const Tensor low = f(Tensor::full({2}, -1.7e308, f64), 0, {}).value();
    CHECK(largest_difference(low, Tensor::full({2}, 0.5, f64)) <= 1e-15);
  }
}

TEST_CASE("masked places reach neither weights nor gradients; rows without places are zeros") {
  const Tensor mask = Tensor::from<bool>({true, false, true, false, false, false, true, true, true}, {3, 3});
  const Tensor x = Tensor::from<double>({0, quiet_nan, 0, quiet_nan, inf, -inf, -inf, -inf, -inf}, {3, 3});
  Tensor cotangent = uniform({3, 3}, -1, 1, 1);
  cotangent.slice(0, 0, 1).slice(1, 1, 2).fill(quiet_nan);
  for (const Function f : {sparsemax, entmax15}) {
    const Tensor y = f(x, -1, mask).value();
    CHECK(y.at({0, 0}) == doctest::Approx(0.5));
    CHECK(y.at({0, 1}) == 0);
    CHECK(largest(y.select(0, 1)) == 0);
    CHECK(std::isnan(y.at({2, 0})));  // there are places, but no weights
    for (const bool create_graph : {false, true}) {
      const Tensor dx = gradient(f, x, mask, cotangent, create_graph);
      CHECK(std::isfinite(largest(dx.slice(0, 0, 2))));
      CHECK(dx.at({0, 1}) == 0);
      CHECK(largest(dx.select(0, 1)) == 0);
      CHECK(std::isnan(dx.at({2, 0})));
      CHECK(largest(gradient(f, x, mask, Tensor::zeros({3, 3}, f64), create_graph)) == 0);
    }
  }
}

TEST_CASE("a NaN among the places of a row reaches no gradient of a masked one") {
  const Tensor mask = Tensor::from<bool>({true, false, true}, {3});
  const Tensor x = Tensor::from<double>({0, 1, quiet_nan}, {3});
  for (const Function f : {sparsemax, entmax15})
    for (const bool create_graph : {false, true}) {
      const Tensor dx = gradient(f, x, mask, uniform({3}, -1, 1, 1), create_graph);
      CHECK(std::isnan(dx.at({0})));
      CHECK(dx.at({1}) == 0);
      CHECK(std::isnan(dx.at({2})));
    }
}

TEST_CASE("what sparsemax and entmax15 can't take is refused by name") {
  const Tensor x = Tensor::zeros({2, 3});
  CHECK_THROWS_WITH_AS(sparsemax(x, 2), doctest::Contains("[sparsemax]"), IndexError);
  CHECK_THROWS_WITH_AS(entmax15(x, -3), doctest::Contains("[entmax15]"), IndexError);
  CHECK_THROWS_AS(sparsemax(Tensor::zeros({2}, i64), 0), DTypeError);
  CHECK_THROWS_AS(entmax15(Var(), 0), ValueError);
  CHECK_THROWS_WITH_AS(sparsemax(x, 1, x), doctest::Contains("bool is needed"), DTypeError);
  CHECK_THROWS_WITH_AS(entmax15(x, 1, Tensor::ones({2}, boolean)), doctest::Contains("[entmax15]"), ShapeError);
  CHECK_THROWS_WITH_AS(sparsemax(x, 1, Tensor::ones({4, 2, 3}, boolean)), doctest::Contains("[4, 2, 3]"), ShapeError);
}
