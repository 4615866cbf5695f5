#include "weft/ops/lstm.hpp"

#include <doctest/doctest.h>

#include <array>
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

double sigmoid_of(double x) { return 1 / (1 + std::exp(-x)); }

// x, w_ih, w_hh, b_ih, b_hh, h, c: 2 rows, 3 steps, 4 inputs, `hidden` units.
std::array<Tensor, 7> operands(std::int64_t hidden, DType type, bool single_step = false) {
  return {uniform(single_step ? Shape{2, 4} : Shape{2, 3, 4}, -1, 1, 1, type),
          uniform({4 * hidden, 4}, -1, 1, 2, type),
          uniform({4 * hidden, hidden}, -1, 1, 3, type),
          uniform({4 * hidden}, -1, 1, 4, type),
          uniform({4 * hidden}, -1, 1, 5, type),
          uniform({2, hidden}, -1, 1, 6, type),
          uniform({2, hidden}, -1, 1, 7, type)};
}

void spoil(Tensor& x, std::int64_t place) {
  x = x.clone();
  Tensor flat = x.reshape({x.numel()});
  flat.slice(0, place, place + 1).fill(quiet_nan);
}

}  // namespace

TEST_CASE("one unit by hand, as a sequence of one step and as a step") {
  for (const DType type : {f32, f64}) {
    const auto row = [&](std::initializer_list<double> values) {
      return Tensor::from(values, {static_cast<std::int64_t>(values.size()), 1}).to(type);
    };
    const Tensor x = Tensor::full({1, 1}, 0.5, type), h = Tensor::full({1, 1}, -0.4, type), c = Tensor::full({1, 1}, 0.3, type);
    const Tensor w_ih = row({1, 2, 3, 4}), w_hh = row({0.5, -1, 1, 2}),
                 bias = Tensor::from<double>({0.1, 0.2, 0.3, 0.4}, {4}).to(type);
    const double i = sigmoid_of(0.5 - 0.2 + 0.1), f = sigmoid_of(1 + 0.4 + 0.2), g = std::tanh(1.5 - 0.4 + 0.3),
                 o = sigmoid_of(2 - 0.8 + 0.4), cell = f * 0.3 + i * g, hidden = o * std::tanh(cell);
    const LSTMState step = lstm_step(x, {h, c}, w_ih, w_hh, bias);
    CHECK(step.c.item() == doctest::Approx(cell));
    CHECK(step.h.item() == doctest::Approx(hidden));
    const LSTMResult run = lstm(x.unsqueeze(1), w_ih, w_hh, {}, bias, {}, {h, c});
    CHECK(run.output.item() == doctest::Approx(hidden));
    CHECK(run.h.item() == doctest::Approx(hidden));
    CHECK(run.c.item() == doctest::Approx(cell));
  }
}

TEST_CASE("saturated gates have gradients of exactly 0, not NaN") {
  for (const DType type : {f32, f64})
    for (const std::int64_t hidden : {1, 5, 9})
      for (const double size : {1e4, 1e30, inf})
        for (const bool positive : {true, false}) {
          auto in = operands(hidden, type);
          in[3].fill(positive ? size : -size);
          Tape tape;
          std::array<Var, 7> v;
          for (std::size_t i = 0; i < 7; ++i) v[i] = tape.leaf(in[i]);
          const LSTMResult run = lstm(v[0], v[1], v[2], v[3], v[4], {}, {v[5], v[6]});
          for (const Var* y : {&run.output, &run.h, &run.c}) CHECK(std::isfinite(largest(y->value())));
          if (!positive) CHECK(largest(run.output.value()) == 0);  // o = 0
          tape.backward(sum(square(run.output)) + sum(square(run.c)));
          for (std::size_t i = 0; i < 6; ++i) CHECK(largest(tape.grad(v[i])) == 0);
          CHECK(std::isfinite(largest(tape.grad(v[6]))));  // through f alone: 1 or 0
          CHECK((largest(tape.grad(v[6])) > 0) == positive);
        }
}

TEST_CASE("a NaN in any operand reaches the loss, of a sequence and of a step") {
  for (const DType type : {f32, f64})
    for (const std::int64_t hidden : {3, 16})
      for (std::size_t i = 0; i < 7; ++i) {
        auto in = operands(hidden, type);
        spoil(in[i], in[i].numel() - 1);
        CHECK(std::isnan(sum(lstm(in[0], in[1], in[2], in[3], in[4], {}, {in[5], in[6]}).output).item()));
        auto one = operands(hidden, type, true);
        spoil(one[i], one[i].numel() - 1);
        CHECK(std::isnan(sum(lstm_step(one[0], {one[5], one[6]}, one[1], one[2], one[3], one[4]).h).item()));
      }
}

TEST_CASE("what stands behind a row's length, or in a row that isn't active, reaches neither results nor gradients") {
  const Tensor lengths = Tensor::from<std::int64_t>({0, 2}, {2});
  for (const DType type : {f32, f64})
    for (const double bad : {quiet_nan, inf}) {
      auto in = operands(5, type);
      in[0].select(0, 0).fill(bad);
      in[0].select(0, 1).slice(0, 2, 3).fill(bad);
      Tape tape;
      std::array<Var, 7> v;
      for (std::size_t i = 0; i < 7; ++i) v[i] = tape.leaf(in[i]);
      const LSTMResult run = lstm(v[0], v[1], v[2], v[3], v[4], {.lengths = lengths}, {v[5], v[6]});
      CHECK(largest(run.output.value().select(0, 0)) == 0);
      CHECK(largest(run.output.value().select(0, 1).slice(0, 2, 3)) == 0);
      CHECK(largest_difference(run.h.value().select(0, 0), in[5].select(0, 0)) == 0);
      tape.backward(sum(square(run.output)) + sum(square(run.h)) + sum(square(run.c)));
      for (const Var& operand : v) CHECK(std::isfinite(largest(tape.grad(operand))));
      CHECK(largest(tape.grad(v[0]).select(0, 0)) == 0);
      CHECK(largest_difference(tape.grad(v[5]).select(0, 0), (in[5].select(0, 0) * Var::scalar(2, type)).value()) == 0);

      auto one = operands(5, type, true);
      one[0].select(0, 0).fill(bad);
      Tape steps;
      for (std::size_t i = 0; i < 7; ++i) v[i] = steps.leaf(one[i]);
      const Tensor active = Tensor::from<bool>({false, true}, {2});
      const LSTMState next = lstm_step(v[0], {v[5], v[6]}, v[1], v[2], v[3], v[4], active);
      CHECK(largest_difference(next.c.value().select(0, 0), one[6].select(0, 0)) == 0);
      steps.backward(sum(square(next.h)) + sum(square(next.c)));
      for (const Var& operand : v) CHECK(std::isfinite(largest(steps.grad(operand))));
    }
}

TEST_CASE("what doesn't fit an LSTM is refused with shapes") {
  const auto in = operands(5, f32), one = operands(5, f32, true);
  const auto run = [&](const Tensor& x, const Tensor& w_ih, const Tensor& w_hh, const LSTMOptions& options = {}) {
    return lstm(x, w_ih, w_hh, in[3], in[4], options, {in[5], in[6]});
  };
  CHECK_THROWS_WITH_AS(run(one[0], in[1], in[2]), doctest::Contains("[lstm] input [2, 4]"), ShapeError);
  CHECK_THROWS_WITH_AS(run(in[0], in[2], in[2]), doctest::Contains("[20, 5]"), ShapeError);
  CHECK_THROWS_WITH_AS(run(in[0], in[1], in[1]), doctest::Contains("w_hh has shape [20, 4]"), ShapeError);
  CHECK_THROWS_AS(run(in[0].to(f64), in[1], in[2]), DTypeError);
  const Tensor long_row = Tensor::from<std::int64_t>({3, 4}, {2}), three = Tensor::from<std::int64_t>({1, 2, 3}, {3});
  CHECK_THROWS_WITH_AS(run(in[0], in[1], in[2], {.lengths = long_row}), doctest::Contains("length 4 of row 1"), ValueError);
  CHECK_THROWS_WITH_AS(run(in[0], in[1], in[2], {.lengths = three}), doctest::Contains("lengths [3]"), ShapeError);
  CHECK_THROWS_AS(run(in[0], in[1], in[2], {.lengths = Tensor::ones({2})}), DTypeError);
  CHECK_THROWS_WITH_AS(lstm(in[0], in[1], in[2], in[0]), doctest::Contains("bias f32[2, 3, 4]"), ShapeError);
  CHECK_THROWS_WITH_AS(lstm(in[0], in[1], in[2], {}, {}, {}, {in[0], in[6]}), doctest::Contains("state f32[2, 3, 4]"),
                       ShapeError);
  CHECK_THROWS_WITH_AS(lstm_step(in[0], {}, in[1], in[2]), doctest::Contains("[lstm_step]"), ShapeError);
  CHECK_THROWS_WITH_AS(lstm_step(one[0], {}, in[1], in[2], {}, {}, Tensor::ones({3}, boolean)), doctest::Contains("bool[3]"),
                       ShapeError);
  CHECK_THROWS_AS(lstm_step(one[0], {in[5].to(f64), in[6]}, in[1], in[2]), ShapeError);
}
