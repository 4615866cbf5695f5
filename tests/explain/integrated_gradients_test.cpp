#include "weft/explain/integrated_gradients.hpp"

#include <doctest/doctest.h>

#include <cmath>

#include "golden/golden.hpp"
#include "weft/base/error.hpp"
#include "weft/base/random.hpp"
#include "weft/nn/dropout.hpp"
#include "weft/nn/linear.hpp"
#include "weft/nn/lstm.hpp"
#include "weft/ops/activation.hpp"
#include "weft/ops/elementwise.hpp"
#include "weft/ops/reduce.hpp"
#include "weft/ops/shape.hpp"
#include "weft/ops/softmax.hpp"

using namespace weft;

namespace {

double sum_of(const Tensor& x) { return sum(Var(x.to(f64))).item(); }

/// Completeness as the paper has it: the attributions add up to the difference of the outputs.
void check_complete(const explain::IntegratedGradients& found, double difference) {
  CHECK(found.difference == doctest::Approx(difference).epsilon(1e-6));
  CHECK(std::abs(sum_of(found.attributions) - difference) <= 1e-3 * std::abs(difference));
}

}  // namespace

TEST_CASE("integrated gradients of functions whose integral is known") {
  const Tensor x = Tensor::from<double>({1, -2, 3}, {3});
  // Each element by itself: all of its cube is its own.
  const auto cubes = explain::integrated_gradients([](const Var& v) { return sum(v * v * v); }, x, {.tolerance = 1e-6});
  CHECK(test::relative_error(cubes.attributions, Tensor::from<double>({1, -8, 27}, {3})) < 1e-5);
  CHECK(cubes.difference == 20);
  // The product of two is shared evenly from zeros. From (1, 1) to (2, 4): 1 times the integral of 1 + 3t, 3 times that of 1 +
  // t.
  const auto product = [](const Var& v) { return select(v, 0, 0) * select(v, 0, 1); };
  const auto even = explain::integrated_gradients(product, Tensor::from<double>({2, 4}, {2}));
  CHECK(test::relative_error(even.attributions, Tensor::from<double>({4, 4}, {2})) < 1e-12);
  const auto other =
      explain::integrated_gradients(product, Tensor::from<double>({2, 4}, {2}), {.baseline = Tensor::ones({2}, f64)});
  CHECK(test::relative_error(other.attributions, Tensor::from<double>({2.5, 4.5}, {2})) < 1e-12);
  CHECK(other.difference == 7);
}

TEST_CASE("integrated gradients of networks are complete to 1e-3") {
  Generator generator(6);
  SUBCASE("an LSTM's class probability, f32") {
    nn::LSTM lstm({.input_size = 4, .hidden_size = 6});
    nn::Linear classes({.in_features = 6, .out_features = 3});
    const auto probability = [&](const Var& v) {
      return select(select(softmax(classes(select(lstm(v).output, 1, 4)), -1), 1, 2), 0, 0);
    };
    const Tensor x = Tensor::randn({1, 5, 4}, generator);
    const auto found = explain::integrated_gradients(probability, x);
    CHECK(found.attributions.shape() == x.shape());
    CHECK(found.attributions.dtype() == f32);
    check_complete(found, probability(x).item() - probability(Tensor::zeros({1, 5, 4})).item());
    for (const Parameter* parameter : lstm.parameters()) CHECK_FALSE(parameter->grad().defined());
  }
  SUBCASE("kinks of relu need more steps") {
    nn::Linear wide({.in_features = 4, .out_features = 32}), one({.in_features = 32, .out_features = 1});
    const auto output = [&](const Var& v) { return one(relu(wide(v))); };
    const Tensor x = Tensor::randn({1, 4}, generator);
    const auto found = explain::integrated_gradients(output, x, {.steps = 1});
    CHECK(found.steps > 1);
    CHECK(found.error <= 1e-3 * sum_of(abs(Var(found.attributions)).value()));
  }
}

TEST_CASE("a constant gives zeros; what can't be integrated is an error") {
  const Tensor x = Tensor::ones({2});
  const auto nothing = explain::integrated_gradients([](const Var&) { return Var::scalar(3); }, x);
  CHECK(sum_of(nothing.attributions) == 0);
  CHECK(nothing.error == 0);

  const auto total = [](const Var& v) { return sum(v); };
  // A jump has no gradient.
  const auto jump = [](const Var& v) { return sum(v) + (v.value().at({0}) > 0.5 ? 1.0 : 0.0); };
  CHECK_THROWS_AS(explain::integrated_gradients(jump, x, {.most_steps = 64}), NumericError);
  CHECK_THROWS_WITH_AS(explain::integrated_gradients([](const Var& v) { return sum(log(v)); }, x),
                       "[integrated_gradients] f is -inf at an end of the path", NumericError);
  CHECK_THROWS_AS(explain::integrated_gradients(total, x, {.steps = 0}), ValueError);
  CHECK_THROWS_AS(explain::integrated_gradients(total, x, {.steps = 8, .most_steps = 4}), ValueError);
  CHECK_THROWS_AS(explain::integrated_gradients(total, x, {.tolerance = 0}), ValueError);
  CHECK_THROWS_WITH_AS(explain::integrated_gradients(total, x, {.baseline = Tensor::ones({3})}),
                       "[integrated_gradients] baseline f32[3] and input f32[2] differ in shape", ShapeError);
  CHECK_THROWS_AS(explain::integrated_gradients(total, x, {.baseline = Tensor::ones({2}, f64)}), DTypeError);
  CHECK_THROWS_WITH_AS(explain::integrated_gradients([](const Var& v) { return v * 2; }, x),
                       "[integrated_gradients] f gives f32[2], not one element", ShapeError);
}

TEST_CASE("a model in training mode is told to be in evaluation mode") {
  nn::Dropout drop({.p = 0.5});
  const auto f = [&](const Var& v) { return sum(drop(v)); };
  const Tensor x = Tensor::ones({3});
  CHECK_THROWS_WITH_AS(
      explain::integrated_gradients(f, x),
      "[integrated_gradients] f draws random numbers, as dropout does in training mode; call the model's eval() before",
      TapeError);
  drop.eval();
  CHECK(sum(Var(explain::integrated_gradients(f, x).attributions)).item() == doctest::Approx(3));
}
