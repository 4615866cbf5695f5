#include "weft/explain/gradient_times_input.hpp"

#include <doctest/doctest.h>

#include "golden/golden.hpp"
#include "weft/base/error.hpp"
#include "weft/base/random.hpp"
#include "weft/nn/dropout.hpp"
#include "weft/nn/linear.hpp"
#include "weft/ops/elementwise.hpp"
#include "weft/ops/reduce.hpp"
#include "weft/ops/shape.hpp"

using namespace weft;

TEST_CASE("gradient times input of a polynomial") {
  const Tensor x = Tensor::from<double>({1, -2, 3, 0.5}, {2, 2});
  const Tensor found = explain::gradient_times_input([](const Var& v) { return sum(v * v * v); }, x);
  CHECK(test::relative_error(found, Tensor::from<double>({3, -24, 81, 0.375}, {2, 2})) < 1e-15);
}

TEST_CASE("of a linear layer it is weight times input, and the layer's own gradient stays as it is") {
  nn::Linear layer({.in_features = 3, .out_features = 2});
  Generator generator(2);
  const Tensor x = Tensor::randn({1, 3}, generator);
  const auto logit = [&](const Var& v) { return select(select(layer(v), 1, 1), 0, 0); };
  const Tensor found = explain::gradient_times_input(logit, x), weight = layer.weight.var().value();
  for (std::int64_t i = 0; i < 3; ++i)
    CHECK(found.at({0, i}) == doctest::Approx(weight.at({1, i}) * x.at({0, i})).epsilon(1e-6));
  for (const Parameter* parameter : layer.parameters()) CHECK_FALSE(parameter->grad().defined());
}

TEST_CASE("an output that doesn't depend on the input gives zeros; bad ones are refused") {
  const Tensor x = Tensor::ones({3});
  CHECK(sum(Var(explain::gradient_times_input([](const Var&) { return Var::scalar(2); }, x))).item() == 0);
  CHECK_THROWS_WITH_AS(explain::gradient_times_input([](const Var& v) { return v * 2; }, x),
                       "[gradient_times_input] f gives f32[3], not one element", ShapeError);
  CHECK_THROWS_AS(explain::gradient_times_input([](const Var& v) { return sum(v); }, Tensor::ones({3}, i64)), DTypeError);
}

TEST_CASE("a model in training mode is told to be in evaluation mode") {
  nn::Dropout drop({.p = 0.5});
  const auto f = [&](const Var& v) { return sum(drop(v)); };
  const Tensor x = Tensor::ones({3});
  CHECK_THROWS_WITH_AS(
      explain::gradient_times_input(f, x),
      "[gradient_times_input] f draws random numbers, as dropout does in training mode; call the model's eval() before",
      TapeError);
  drop.eval();
  CHECK(sum(Var(explain::gradient_times_input(f, x))).item() == doctest::Approx(3));
}
