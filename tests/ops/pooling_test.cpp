#include "weft/ops/pooling.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <string>

#include "golden/golden.hpp"
#include "support/random.hpp"
#include "weft/autograd/tape.hpp"
#include "weft/base/error.hpp"
#include "weft/ops/reduce.hpp"
#include "weft/ops/resize.hpp"
#include "weft/ops/shape.hpp"

using namespace weft;
using namespace weft::test;

namespace {

constexpr double inf = std::numeric_limits<double>::infinity(), quiet_nan = std::numeric_limits<double>::quiet_NaN();

Tensor ones(const Shape& shape) { return Tensor::ones(shape); }

// Output and gradient against PyTorch's.
template <class Function>
void check_golden(const Golden& golden, const std::string& name, const Function& function) {
  CAPTURE(name);
  for (const DType dtype : {f32, f64}) {
    Tape tape;
    const Var x = tape.leaf(golden["input"].to(dtype)), y = function(x);
    const double tolerance = dtype == f32 ? 1e-6 : 1e-12;
    CHECK(relative_error(y.value(), golden[name + ".output"]) <= tolerance);
    tape.backward(y, golden[name + ".cotangent"].to(dtype));
    CHECK(relative_error(tape.grad(x), golden[name + ".grad"]) <= tolerance);
  }
}

template <class Function>
Tensor gradient(const Function& function, const Tensor& x) {
  Tape tape;
  const Var leaf = tape.leaf(x);
  tape.backward(sum(function(leaf)));
  return tape.grad(leaf);
}

}  // namespace

TEST_CASE("pooling equals PyTorch's, equal maxima included") {
  const Golden golden = Golden::load("pooling");
  check_golden(golden, "max_pool2d", [](const Var& x) { return max_pool2d(x, 3, {.stride = 2, .padding = 1}); });
  check_golden(golden, "max_pool2d.overlapping", [](const Var& x) {
    return max_pool2d(x, {2, 4}, {.stride = 1, .padding = {1, 2}});
  });
  check_golden(golden, "avg_pool2d", [](const Var& x) { return avg_pool2d(x, 3, {.stride = 2, .padding = 1}); });
  check_golden(golden, "avg_pool2d.excluding", [](const Var& x) {
    return avg_pool2d(x, {2, 3}, {.stride = {2, 1}, .padding = {1, 1}, .count_include_pad = false});
  });
  check_golden(golden, "max_pool1d", [](const Var& x) { return max_pool1d(select(x, 2, 0), 3, {.stride = 2, .padding = 1}); });
  check_golden(golden, "avg_pool1d", [](const Var& x) { return avg_pool1d(select(x, 2, 0), 4, {.padding = 2}); });
}

TEST_CASE("interpolate equals PyTorch's") {
  const Golden golden = Golden::load("pooling");
  check_golden(golden, "interpolate.size", [](const Var& x) { return interpolate(x, {.size = {9, 4}}); });
  check_golden(golden, "interpolate.factor", [](const Var& x) { return interpolate(x, {.scale_factor = {2.5, 0.5}}); });
  check_golden(golden, "interpolate.length", [](const Var& x) { return interpolate(select(x, 2, 0), {.scale_factor = 1.7}); });
}

TEST_CASE("the first of equal maxima has the gradient") {
  const Tensor x = Tensor::from<double>({1, 5, 5, 2, 2, 2}, {1, 1, 6});
  const Tensor g = gradient([](const Var& in) { return max_pool1d(in, 3); }, x);
  CHECK(largest_difference(g, Tensor::from<double>({0, 1, 0, 1, 0, 0}, {1, 1, 6})) == 0);
  const Tensor low = Tensor::full({1, 1, 4}, -inf);
  CHECK(max_pool1d(low, 2).value().at({0, 0, 1}) == -inf);
  CHECK(gradient([](const Var& in) { return max_pool1d(in, 2); }, low).at({0, 0, 2}) == 1);
}

TEST_CASE("padding is never the maximum, and is 0 in a mean") {
  const Tensor x = Tensor::full({1, 1, 2, 2}, -3);
  const Tensor y = max_pool2d(x, 2, {.padding = 1}).value();
  CHECK(y.shape() == Shape{1, 1, 2, 2});
  CHECK(y.at({0, 0, 0, 0}) == -3);
  CHECK(avg_pool2d(x, 2, {.padding = 1}).value().at({0, 0, 1, 1}) == -0.75);
  CHECK(avg_pool2d(x, 2, {.padding = 1, .count_include_pad = false}).value().at({0, 0, 1, 1}) == -3);
}

TEST_CASE("a NaN is not hidden by pooling") {
  for (const DType dtype : {f32, f64}) {
    for (const std::int64_t place : {0, 1, 2}) {
      Tensor x = uniform({1, 1, 6}, -1, 1, 1, dtype);
      x.slice(2, place, place + 1).fill(quiet_nan);
      const Tensor highest = max_pool1d(x, 3).value(), average = avg_pool1d(x, 3).value();
      CHECK(std::isnan(highest.at({0, 0, 0})));
      CHECK(std::isnan(average.at({0, 0, 0})));
      CHECK(std::isfinite(highest.at({0, 0, 1})));
      CHECK(std::isfinite(average.at({0, 0, 1})));
      CHECK(std::isnan(interpolate(x, {.size = 12}).value().at({0, 0, 2 * place})));
    }
  }
}

TEST_CASE("shapes of pooled and resized tensors") {
  CHECK(max_pool2d(ones({2, 3, 7, 8}), {3, 2}).shape() == Shape{2, 3, 2, 4});
  CHECK(max_pool2d(ones({3, 7, 8}), 2, {.stride = {1, 3}}).shape() == Shape{3, 6, 3});
  CHECK(avg_pool1d(ones({3, 9}), 4, {.stride = 2}).shape() == Shape{3, 3});
  CHECK(avg_pool2d(ones({0, 3, 4, 4}), 2).shape() == Shape{0, 3, 2, 2});
  CHECK(interpolate(ones({2, 3, 5}), {.scale_factor = 1.5}).shape() == Shape{2, 3, 7});
  CHECK(interpolate(ones({2, 3, 5, 4}), {.size = {1, 9}}).shape() == Shape{2, 3, 1, 9});
  CHECK(interpolate(ones({0, 3, 5, 4}), {.scale_factor = 2}).shape() == Shape{0, 3, 10, 8});
}

TEST_CASE("wrong operands of pooling are named") {
  using doctest::Contains;
  const Tensor x = ones({2, 3, 4, 5});
  CHECK_THROWS_WITH_AS(max_pool2d(x, 5), Contains("[max_pool2d] the kernel 5 is larger than the input [2, 3, 4, 5]"),
                       ShapeError);
  CHECK_THROWS_WITH_AS(max_pool1d(x, 2), Contains("[max_pool1d] input [2, 3, 4, 5]: [N, C, length]"), ShapeError);
  CHECK_THROWS_WITH_AS(avg_pool2d(ones({4, 4}), 2), Contains("[avg_pool2d] input [4, 4]"), ShapeError);
  CHECK_THROWS_AS(avg_pool1d(ones({4}), 2), ShapeError);
  CHECK_THROWS_AS(max_pool2d(ones({2, 3, 0, 4}), 2, {.padding = 1}), ShapeError);
  CHECK_THROWS_WITH_AS(max_pool2d(x, 2, {.padding = {1, 2}}), Contains("padding is 2; at most half the kernel 2"), ValueError);
  CHECK_THROWS_AS(avg_pool2d(x, 2, {.padding = -1}), ValueError);
  CHECK_THROWS_WITH_AS(max_pool1d(ones({1, 1, 4}), 0), Contains("[max_pool1d] kernel 0"), ValueError);
  CHECK_THROWS_AS(avg_pool1d(ones({1, 1, 4}), 2, {.stride = -1}), ValueError);
  CHECK_THROWS_AS(avg_pool1d(ones({1, 1, 4}), std::numeric_limits<std::int64_t>::max()), ValueError);
  CHECK_THROWS_WITH_AS(max_pool2d(x.to(i64), 2), Contains("i64[2, 3, 4, 5]"), DTypeError);
  CHECK_THROWS_AS(avg_pool2d(x.to(boolean), 2), DTypeError);
  CHECK_THROWS_WITH_AS(avg_pool2d(Tensor(), 2), Contains("[avg_pool2d] the input is undefined"), ValueError);
}

TEST_CASE("wrong arguments of interpolate are named") {
  using doctest::Contains;
  const Tensor x = ones({2, 3, 4, 5});
  CHECK_THROWS_WITH_AS(interpolate(x, {}), Contains("exactly one of them"), ValueError);
  CHECK_THROWS_AS(interpolate(x, {.size = 3, .scale_factor = 2}), ValueError);
  CHECK_THROWS_AS(interpolate(x, {.size = {3, -1}}), ValueError);
  CHECK_THROWS_AS(interpolate(x, {.scale_factor = {2, quiet_nan}}), ValueError);
  CHECK_THROWS_WITH_AS(interpolate(ones({2, 3, 4}), {.size = {3, 4}}), Contains("one number is needed"), ValueError);
  CHECK_THROWS_WITH_AS(interpolate(ones({3, 4}), {.size = 3}), Contains("[interpolate] input [3, 4]"), ShapeError);
  CHECK_THROWS_WITH_AS(interpolate(x, {.scale_factor = 0.1}), Contains("[2, 3, 4, 5]"), ShapeError);
  CHECK_THROWS_AS(interpolate(ones({2, 3, 0, 5}), {.size = 3}), ShapeError);
  CHECK_THROWS_AS(interpolate(x, {.scale_factor = inf}), ShapeError);
  CHECK_THROWS_AS(interpolate(x.to(i64), {.size = 3}), DTypeError);
  CHECK_THROWS_AS(interpolate(Tensor(), {.size = 3}), ValueError);
}

TEST_CASE("the average of a large window keeps f32's digits") {
  const Tensor x = Tensor::full({1, 1, 1000000}, 0.1);
  CHECK(std::abs(avg_pool1d(x, 1000000).value().item() - 0.1) <= 1e-8);
}
