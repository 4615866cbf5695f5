#include "weft/ops/softmax.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <functional>
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

using Function = std::function<Var(const Var&)>;

// Under a cotangent, by the fused rule or by the composite one.
Tensor gradient(const Function& f, const Tensor& x, const Tensor& cotangent, bool create_graph = false) {
  Tape tape;
  const Var leaf = tape.leaf(x);
  tape.backward(f(leaf), cotangent, {.create_graph = create_graph});
  return tape.grad(leaf);
}

Tensor sequence(std::initializer_list<double> values, DType type) {
  return Tensor::from(values, {static_cast<std::int64_t>(values.size())}).to(type);
}

const Function over_rows = [](const Var& x) { return softmax(x, -1); };
const Function logs_over_rows = [](const Var& x) { return log_softmax(x, -1); };

}  // namespace

TEST_CASE("softmax of logarithms is their shares, along any axis") {
  for (const DType type : {f32, f64}) {
    const Tensor x = log(Tensor::from<double>({1, 2, 5, 3, 3, 4}, {2, 3}).to(type)).value();
    const Tensor rows = softmax(x, 1).value(), columns = softmax(x, 0).value(), logs = log_softmax(x, -1).value();
    CHECK(rows.at({0, 2}) == doctest::Approx(5.0 / 8));
    CHECK(rows.at({1, 0}) == doctest::Approx(3.0 / 10));
    CHECK(columns.at({0, 2}) == doctest::Approx(5.0 / 9));
    CHECK(columns.at({1, 0}) == doctest::Approx(3.0 / 4));
    CHECK(logs.at({0, 1}) == doctest::Approx(std::log(2.0 / 8)));
    CHECK(softmax(Tensor::full({}, 3, type), 0).item() == 1);
    CHECK(log_softmax(Tensor::full({4, 1}, 1e30, type), -1).value().at({3, 0}) == 0);
  }
}

TEST_CASE("the gradient of a softmax by hand") {
  for (const DType type : {f32, f64})
    for (const bool create_graph : {false, true}) {
      const Tensor x = log(sequence({1, 1, 2}, type)).value(), g = sequence({1, 0, 0}, type);
      const Tensor dx = gradient(over_rows, x, g, create_graph), dlog = gradient(logs_over_rows, x, g, create_graph);
      CHECK(dx.at({0}) == doctest::Approx(0.25 * 0.75));
      CHECK(dx.at({1}) == doctest::Approx(-0.25 * 0.25));
      CHECK(dx.at({2}) == doctest::Approx(-0.25 * 0.5));
      CHECK(dlog.at({0}) == doctest::Approx(0.75));
      CHECK(dlog.at({2}) == doctest::Approx(-0.5));
    }
}

TEST_CASE("rows that have no softmax are NaN, rows with one largest logit are exact") {
  for (const DType type : {f32, f64})
    for (const Tensor& x : {sequence({-inf, -inf, -inf}, type), sequence({1, inf, 2}, type), sequence({1, 2, quiet_nan}, type)})
      for (std::int64_t j = 0; j < 3; ++j) {
        CHECK(std::isnan(softmax(x, 0).value().at({j})));
        CHECK(std::isnan(log_softmax(x, 0).value().at({j})));
      }
  for (const DType type : {f32, f64}) {
    const Tensor y = softmax(sequence({-1e4, 1e4, -inf}, type), 0).value(),
                 logs = log_softmax(sequence({-1e4, 1e4}, type), 0).value();
    CHECK(y.at({0}) == 0);
    CHECK(y.at({1}) == 1);
    CHECK(y.at({2}) == 0);
    CHECK(logs.at({0}) == -2e4);
    CHECK(logs.at({1}) == 0);
  }
}

TEST_CASE("rows that a later mask takes away leave no trace in a gradient, whatever they are") {
  const Tensor keep = Tensor::from<bool>({true, false, false, false, false}, {5, 1});
  for (const DType type : {f32, f64})
    for (const Function& f : {over_rows, logs_over_rows}) {
      const Tensor x =
          Tensor::from<double>({1, 2, 3, -inf, -inf, -inf, 1, inf, 0, quiet_nan, 1, 1, inf, quiet_nan, -inf}, {5, 3}).to(type);
      const Function masked = [&](const Var& in) { return where(keep, f(in), Var::scalar(0, type)); };
      const Tensor cotangent = uniform({5, 3}, -1, 1, 1, type);
      for (const bool create_graph : {false, true}) {
        const Tensor dx = gradient(masked, x, cotangent, create_graph);
        CHECK(largest(dx.slice(0, 0, 1)) > 0);
        CHECK(largest(dx.slice(0, 1, 5)) == 0);
      }
      Tape tape;  // nor in a second one
      const Var leaf = tape.leaf(x);
      tape.backward(sum(masked(leaf) * cotangent), {.create_graph = true});
      tape.backward(sum(square(tape.grad_var(leaf))));
      CHECK(std::isfinite(largest(tape.grad(leaf))));
      // A gradient that isn't 0 shows the fault.
      CHECK(std::isnan(gradient(f, x, cotangent).at({1, 0})));
    }
}

TEST_CASE("a masked softmax chooses among the kept places alone; without any it is zeros with zero gradients") {
  const Tensor mask = Tensor::from<bool>({true, false, true, false, false, false, true, true, true}, {3, 3});
  for (const DType type : {f32, f64}) {
    const Tensor x = Tensor::from<double>({0, quiet_nan, 0, quiet_nan, inf, -inf, -inf, -inf, -inf}, {3, 3}).to(type);
    const Function f = [&](const Var& in) { return masked_softmax(in, mask); };
    const Tensor y = f(x).value();
    CHECK(y.at({0, 0}) == 0.5);
    CHECK(y.at({0, 1}) == 0);
    CHECK(largest(y.select(0, 1)) == 0);
    CHECK(std::isnan(y.at({2, 0})));  // there are places, but no probabilities
    Tensor cotangent = uniform({3, 3}, -1, 1, 1, type);
    for (const bool create_graph : {false, true}) {
      const Tensor dx = gradient(f, x, cotangent, create_graph);
      CHECK(dx.at({0, 0}) == doctest::Approx(0.25 * (cotangent.at({0, 0}) - cotangent.at({0, 2}))).epsilon(1e-5));
      CHECK(dx.at({0, 1}) == 0);
      CHECK(largest(dx.select(0, 1)) == 0);
      CHECK(std::isnan(dx.at({2, 0})));
    }
    cotangent.slice(1, 1, 2).slice(0, 0, 1).fill(quiet_nan);  // what comes in at a masked place doesn't count
    for (const bool create_graph : {false, true})
      CHECK(std::isfinite(largest(gradient(f, x, cotangent, create_graph).select(0, 0))));
  }
}

TEST_CASE("what softmax can't take is refused by name") {
  const Tensor x = Tensor::zeros({2, 3});
  CHECK_THROWS_WITH_AS(softmax(x, 2), doctest::Contains("[softmax]"), IndexError);
  CHECK_THROWS_WITH_AS(softmax(x, -3), doctest::Contains("[2, 3]"), IndexError);
  CHECK_THROWS_WITH_AS(softmax(Tensor::zeros({2}, i64), 0), doctest::Contains("[softmax] the input is i64[2]"), DTypeError);
  CHECK_THROWS_WITH_AS(log_softmax(x, 7), doctest::Contains("[log_softmax]"), IndexError);
  CHECK_THROWS_AS(log_softmax(Tensor::zeros({2}, boolean), 0), DTypeError);
  constexpr const char* masked = "[masked_softmax] the mask is ";
  const auto refuse_mask = [&](const Tensor& mask, const std::string& text) {
    CHECK_THROWS_WITH_AS(masked_softmax(x, mask), doctest::Contains((masked + text).c_str()), DTypeError);
  };
  refuse_mask(x,
              "f32[2, 3]; bool is needed, true where allowed: ne(mask, 0) of ones and zeros, eq(mask, 0) of one that is added");
  refuse_mask(Tensor::ones({2, 3}, i32), "i32[2, 3]; bool is needed, true where allowed: ne(mask, 0) of ones and zeros");
  refuse_mask(
      Tensor::from<std::int64_t>({1, 3}, {2}),
      "i64[2]; bool is needed, true where allowed: ne(mask, 0) of ones and zeros, sequence_mask(lengths, places) of lengths");
  CHECK_THROWS_WITH_AS(masked_softmax(x, Tensor::ones({2}, boolean)), doctest::Contains("[masked_softmax]"), ShapeError);
  CHECK_THROWS_WITH_AS(masked_softmax(x, Tensor::ones({4, 2, 3}, boolean)), doctest::Contains("[4, 2, 3]"), ShapeError);
  CHECK_THROWS_AS(masked_softmax(Tensor::zeros({2, 3}, i32), Tensor::ones({3}, boolean)), DTypeError);
}
