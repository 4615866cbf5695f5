#include "weft/ops/normalization.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include "support/random.hpp"
#include "weft/autograd/tape.hpp"
#include "weft/base/error.hpp"
#include "weft/ops/elementwise.hpp"
#include "weft/ops/reduce.hpp"

using namespace weft;
using namespace weft::test;

namespace {

constexpr double inf = std::numeric_limits<double>::infinity(), quiet_nan = std::numeric_limits<double>::quiet_NaN();

}  // namespace

TEST_CASE("layer norm by hand") {
  for (const DType type : {f32, f64}) {
    const Tensor x = Tensor::from<double>({1, 3, 10, 10}, {2, 2}).to(type);
    const Tensor weight = Tensor::from<double>({2, 3}, {2}).to(type), bias = Tensor::from<double>({0.5, -0.5}, {2}).to(type);
    const Tensor y = layer_norm(x, weight, bias, 0.25).value();
    const double inverse = 1 / std::sqrt(1.25);
    CHECK(y.at({0, 0}) == doctest::Approx(-2 * inverse + 0.5));
    CHECK(y.at({0, 1}) == doctest::Approx(3 * inverse - 0.5));
    CHECK(y.at({1, 0}) == 0.5);
    CHECK(y.at({1, 1}) == -0.5);
    CHECK(largest_difference(layer_norm(x, weight, {}, 0.25).value(), (layer_norm(x, {}, {}, 0.25) * weight).value()) < 1e-6);
    CHECK(largest_difference(layer_norm(x, {}, bias, 0.25).value(), (layer_norm(x, {}, {}, 0.25) + bias).value()) < 1e-6);
  }
}

TEST_CASE("layer norm at large offsets is as exact as its input") {
  for (const double offset : {0.0, 1e2, 1e4, 1e6}) {
    const Tensor x = (uniform({4, 64}, -1, 1, 1) + offset).value().to(f32);
    const double bound = 1e-6 + 8 * 0x1p-24 * offset / 0.577;
    CHECK(largest_difference(layer_norm(x).value(), layer_norm(x.to(f64)).value()) <= bound);
  }
  CHECK(largest(layer_norm(Tensor::from<float>({1e18f, -1e18f}, {2})).value()) == doctest::Approx(1));
}

TEST_CASE("constant rows give the bias; their gradient is finite with eps and an error without") {
  for (const DType type : {f32, f64})
    for (const bool create_graph : {false, true}) {
      Tape tape;
      const Var x = tape.leaf(Tensor::full({2, 5}, 0.1, type)), bias = tape.leaf(uniform({5}, -1, 1, 1, type));
      const Var y = layer_norm(x, {}, bias);
      CHECK(largest_difference(y.value().select(0, 1), bias.value()) == 0);
      tape.backward(y, uniform({2, 5}, -1, 1, 2, type), {.create_graph = create_graph});
      CHECK(std::isfinite(largest(tape.grad(x))));
      CHECK(largest(tape.grad(x)) > 0);
      CHECK_THROWS_WITH_AS(layer_norm(x, {}, bias, 0), doctest::Contains("[layer_norm] row 0 is constant"), NumericError);
    }
  CHECK_THROWS_AS(layer_norm(Tensor::zeros({3, 1}), {}, {}, 0), NumericError);
}

TEST_CASE("a row that a later mask takes away reaches no gradient, that of the weight included") {
  const Tensor keep = Tensor::from<bool>({true, false, false}, {3, 1});
  for (const DType type : {f32, f64})
    for (const bool create_graph : {false, true})
      for (const double bad : {quiet_nan, inf}) {
        Tensor values = uniform({3, 4}, -1, 1, 1, type);
        values.slice(0, 1, 2).slice(1, 2, 3).fill(bad);
        values.slice(0, 2, 3).fill(bad);
        Tape tape;
        const Var x = tape.leaf(values), weight = tape.leaf(uniform({4}, 0.5, 2, 2, type)),
                  bias = tape.leaf(Tensor::zeros({4}, type));
        const Var y = layer_norm(x, weight, bias);
        CHECK(std::isnan(y.value().at({1, 0})));
        const Var kept = where(keep, y, Var::scalar(0, type));
        tape.backward(sum(square(kept)), {.create_graph = create_graph});
        CHECK(largest(tape.grad(x).slice(0, 0, 1)) > 0);
        CHECK(largest(tape.grad(x).slice(0, 1, 3)) == 0);
        CHECK(std::isfinite(largest(tape.grad(weight))));
        CHECK(largest(tape.grad(weight)) > 0);
        CHECK(std::isfinite(largest(tape.grad(bias))));
        if (!create_graph) continue;
        tape.backward(sum(square(tape.grad_var(x))));
        CHECK(std::isfinite(largest(tape.grad(x))));
        CHECK(std::isfinite(largest(tape.grad(weight))));
      }
}

TEST_CASE("what doesn't fit a layer norm is refused with shapes") {
  const Tensor x = Tensor::zeros({2, 3});
  CHECK_THROWS_WITH_AS(layer_norm(x, Tensor::ones({2})), doctest::Contains("[layer_norm] weight f32[2]"), ShapeError);
  CHECK_THROWS_WITH_AS(layer_norm(x, {}, Tensor::ones({1, 3})), doctest::Contains("f32[2, 3]"), ShapeError);
  CHECK_THROWS_AS(layer_norm(Tensor::zeros({})), ShapeError);
  CHECK_THROWS_AS(layer_norm(Tensor::zeros({2}, i64)), DTypeError);
  CHECK_THROWS_AS(layer_norm(x, Tensor::ones({3}, f64)), Error);
  for (const double eps : {-1e-5, quiet_nan})
    CHECK_THROWS_WITH_AS(layer_norm(x, {}, {}, eps), doctest::Contains("eps"), ValueError);
}
