#include <doctest/doctest.h>
#include <fmt/format.h>

#include <cmath>
#include <limits>
#include <string>
#include <utility>

#include "golden/golden.hpp"
#include "support/random.hpp"
#include "support/support.hpp"
#include "weft/autograd/tape.hpp"
#include "weft/base/error.hpp"
#include "weft/ops/elementwise.hpp"
#include "weft/ops/loss.hpp"
#include "weft/ops/reduce.hpp"

using namespace weft;
using namespace weft::test;

namespace {

constexpr double inf = std::numeric_limits<double>::infinity(), quiet_nan = std::numeric_limits<double>::quiet_NaN();

Tensor classes(std::initializer_list<std::int64_t> targets) {
  return Tensor::from(targets, {static_cast<std::int64_t>(targets.size())});
}

struct Outcome {
  Tensor loss, gradient;
};

// `create_graph` takes the composite rule.
Outcome run(const Tensor& logits, const Tensor& targets, const CrossEntropyOptions& options, bool create_graph = false) {
  Tape tape;
  const Var leaf = tape.leaf(logits), loss = cross_entropy(leaf, targets, options);
  tape.backward(sum(loss), {.create_graph = create_graph});
  return {loss.value(), tape.grad(leaf)};
}

// Logits whose softmax is (1, 2, 5) / 8 and (4, 3, 3) / 10.
Tensor logits(DType type) { return log(Tensor::from<double>({1, 2, 5, 4, 3, 3}, {2, 3}).to(type)).value(); }

}  // namespace

TEST_CASE("cross entropy and its gradient by hand") {
  for (const DType type : {f32, f64})
    for (const bool composite : {false, true}) {
      const auto mean = run(logits(type), classes({2, 0}), {}, composite);
      const double first = -std::log(5.0 / 8), second = -std::log(4.0 / 10);
      CHECK(mean.loss.item() == doctest::Approx((first + second) / 2));
      CHECK(mean.gradient.at({0, 2}) == doctest::Approx((5.0 / 8 - 1) / 2));
      CHECK(mean.gradient.at({0, 0}) == doctest::Approx(1.0 / 8 / 2));
      CHECK(mean.gradient.at({1, 0}) == doctest::Approx((0.4 - 1) / 2));
      const auto sum = run(logits(type), classes({2, 0}), {.reduction = LossReduction::sum}, composite);
      CHECK(sum.loss.item() == doctest::Approx(first + second));
      CHECK(sum.gradient.at({1, 1}) == doctest::Approx(0.3));
      const auto none = run(logits(type), classes({2, 0}), {.reduction = LossReduction::none}, composite);
      CHECK(none.loss.at({1}) == doctest::Approx(second));
    }
}

TEST_CASE("label smoothing shares the target evenly") {
  for (const DType type : {f32, f64})
    for (const bool composite : {false, true}) {
      const auto o =
          run(logits(type), classes({2, -100}), {.label_smoothing = 0.3, .reduction = LossReduction::sum}, composite);
      CHECK(o.loss.item() == doctest::Approx(-0.8 * std::log(5.0 / 8) - 0.1 * std::log(2.0 / 8) - 0.1 * std::log(1.0 / 8)));
      CHECK(o.gradient.at({0, 2}) == doctest::Approx(5.0 / 8 - 0.8));
      CHECK(o.gradient.at({0, 0}) == doctest::Approx(1.0 / 8 - 0.1));
      CHECK(largest(o.gradient.select(0, 1)) == 0);
    }
}

TEST_CASE("the mean is over the targets that count, and 0 where none does, for NaN logits too") {
  for (const DType type : {f32, f64})
    for (const bool composite : {false, true}) {
      Tensor x = Tensor::full({3, 4}, quiet_nan, type);
      x.select(0, 1).copy_from(log(Tensor::from<double>({1, 1, 1, 5}, {4})).value());
      const auto one = run(x, classes({-1, 3, -1}), {.ignore_index = -1}, composite);
      CHECK(one.loss.item() == doctest::Approx(-std::log(5.0 / 8)));
      CHECK(largest(one.gradient.select(0, 0)) == 0);
      CHECK(one.gradient.at({1, 3}) == doctest::Approx(5.0 / 8 - 1));
      for (const LossReduction reduction : {LossReduction::mean, LossReduction::sum, LossReduction::none})
        for (const double smoothing : {0.0, 0.1}) {
          const auto nothing =
              run(x, classes({2, 2, 2}), {.ignore_index = 2, .label_smoothing = smoothing, .reduction = reduction}, composite);
          CHECK(largest(nothing.loss) == 0);
          CHECK(largest(nothing.gradient) == 0);
        }
    }
  CHECK(cross_entropy(Tensor::zeros({0, 4}), Tensor::zeros({0}, i64)).item() == 0);
}

TEST_CASE("a logit of -inf: no cost without weight, infinite cost with some, finite gradients always") {
  for (const DType type : {f32, f64})
    for (const bool composite : {false, true}) {
      const Tensor x = Tensor::from<double>({0, -inf, 0, 0}, {1, 4}).to(type);
      const auto plain = run(x, classes({0}), {}, composite);
      CHECK(plain.loss.item() == doctest::Approx(std::log(3.0)));
      CHECK(plain.gradient.at({0, 1}) == 0);
      CHECK(plain.gradient.at({0, 0}) == doctest::Approx(1.0 / 3 - 1));
      const auto smoothed = run(x, classes({0}), {.label_smoothing = 0.4}, composite);
      CHECK(smoothed.loss.item() == inf);
      CHECK(smoothed.gradient.at({0, 1}) == doctest::Approx(-0.1));
      CHECK(smoothed.gradient.at({0, 0}) == doctest::Approx(1.0 / 3 - 0.7));
      const auto missed = run(x, classes({1}), {}, composite);
      CHECK(missed.loss.item() == inf);
      CHECK(missed.gradient.at({0, 1}) == doctest::Approx(-1));
      CHECK(run(x, classes({1}), {.label_smoothing = 1}, composite).loss.item() == inf);
    }
}

TEST_CASE("a loss that a later mask takes away leaves no trace in a gradient") {
  const Tensor keep = Tensor::from<bool>({true, false, false}, {3});
  for (const DType type : {f32, f64}) {
    const Tensor x = Tensor::from<double>({1, 2, quiet_nan, 1, -inf, -inf}, {3, 2}).to(type);
    Tape tape;
    const Var leaf = tape.leaf(x), losses = cross_entropy(leaf, classes({0, 1, 0}), {.reduction = LossReduction::none});
    CHECK(std::isnan(losses.value().at({1})));
    CHECK(std::isnan(losses.value().at({2})));
    tape.backward(sum(where(keep, losses, Var::scalar(0, type))), {.create_graph = true});
    const Var first = tape.grad_var(leaf);
    CHECK(largest(first.value().select(0, 0)) > 0);
    CHECK(largest(first.value().slice(0, 1, 3)) == 0);
    tape.backward(sum(square(first)));
    CHECK(std::isfinite(largest(tape.grad(leaf))));
    Tape fused;
    const Var other = fused.leaf(x);
    fused.backward(
        sum(where(keep, cross_entropy(other, classes({0, 1, 0}), {.reduction = LossReduction::none}), Var::scalar(0, type))));
    CHECK(largest(fused.grad(other).slice(0, 1, 3)) == 0);
  }
}

TEST_CASE("class weights are PyTorch's, smoothed and ignored targets and a class of weight 0 among them") {
  const Golden golden = Golden::load("cross_entropy_weight");
  const char* const smoothings[] = {"0.0", "0.1", "1.0"};
  const std::pair<const char*, LossReduction> reductions[] = {
      {"mean", LossReduction::mean}, {"sum", LossReduction::sum}, {"none", LossReduction::none}};
  for (const DType type : {f32, f64})
    for (const bool composite : {false, true})
      for (const char* smoothing : smoothings)
        for (const auto& [name, reduction] : reductions) {
          const std::string key = fmt::format("{}.{}", smoothing, name);
          CAPTURE(key);
          const auto o = run(golden["input"].to(type), golden["target"],
                             {.ignore_index = 2,
                              .weight = golden["weight"].to(type),
                              .label_smoothing = std::stod(smoothing),
                              .reduction = reduction},
                             composite);
          const double tolerance = type == f32 ? 1e-6 : 1e-12;
          CHECK(relative_error(o.loss, golden[key]) <= tolerance);
          CHECK(relative_error(o.gradient, golden[key + ".grad"]) <= tolerance);
        }
}

TEST_CASE("a class of weight 0 counts for nothing, whatever its logits, and the mean of nothing is 0") {
  for (const DType type : {f32, f64})
    for (const bool composite : {false, true}) {
      const Tensor x = Tensor::from<double>({quiet_nan, inf, 0, 1, -inf, 2}, {2, 3}).to(type);
      const Tensor weight = Tensor::from<double>({3, 0, 2}, {3}).to(type);
      const auto none = run(x, classes({1, 1}), {.weight = weight}, composite);
      CHECK(none.loss.item() == 0);
      CHECK(largest(none.gradient) == 0);
      CHECK(run(x, classes({1, 1}), {.weight = weight, .label_smoothing = 0.5}, composite).loss.item() == 0);
      const auto one = run(x, classes({1, 2}), {.weight = weight}, composite);
      CHECK(one.loss.item() == doctest::Approx(std::log(1 + std::exp(-1.0))));
      CHECK(largest(one.gradient.select(0, 0)) == 0);
      // A logit of -inf costs nothing under the weight 0.
      const auto smooth = run(x.slice(0, 1, 2), classes({2}), {.weight = weight, .label_smoothing = 0.3}, composite);
      CHECK(std::isfinite(smooth.loss.item()));
      CHECK(std::isfinite(largest(smooth.gradient)));
    }
  const Tensor x = Tensor::zeros({2, 3});
  CHECK_THROWS_WITH_AS(cross_entropy(x, classes({0, 3}), {.weight = Tensor::zeros({3})}),
                       doctest::Contains("[cross_entropy] target 3"), IndexError);
  for (const double bad : {-1.0, std::numeric_limits<double>::quiet_NaN(), HUGE_VAL})
    CHECK_THROWS_WITH_AS(cross_entropy(x, classes({0, 1}), {.weight = Tensor::full({3}, bad)}),
                         doctest::Contains("[cross_entropy] the weight of class 0 is"), ValueError);
  CHECK_THROWS_WITH_AS(cross_entropy(x, classes({0, 1}), {.weight = Tensor::ones({2})}),
                       doctest::Contains("[cross_entropy] the weight [2]"), ShapeError);
  CHECK_THROWS_WITH_AS(cross_entropy(x, classes({0, 1}), {.weight = Tensor::ones({3}, f64)}),
                       doctest::Contains("[cross_entropy]"), DTypeError);
}

TEST_CASE("large logits keep the loss's digits") {
  for (const double level : {1e4, -1e4, 1e6}) {
    const auto o = run(Tensor::full({2, 7}, level), classes({0, 6}), {.label_smoothing = 0.1});
    CHECK(o.loss.item() == doctest::Approx(std::log(7.0)).epsilon(1e-6));
    CHECK(o.gradient.at({0, 1}) == doctest::Approx((1.0 / 7 - 0.1 / 7) / 2).epsilon(1e-6));
  }
  CHECK(cross_entropy(Tensor::from<float>({1e4f, -1e4f}, {1, 2}), classes({1})).item() == 2e4);
}

TEST_CASE("what doesn't fit a cross entropy is refused with shapes, rows and values") {
  const Tensor x = Tensor::zeros({2, 3});
  CHECK_THROWS_WITH_AS(cross_entropy(x, classes({0, 3})), doctest::Contains("target 3 at [1]"), IndexError);
  CHECK_THROWS_WITH_AS(cross_entropy(x, classes({-4, 0})), doctest::Contains("target -4 at [0]"), IndexError);
  CHECK_THROWS_WITH_AS(cross_entropy(x, classes({0, 1, 2})), doctest::Contains("[cross_entropy] targets [3]"), ShapeError);
  CHECK_THROWS_WITH_AS(cross_entropy(Tensor::zeros({}), classes({})), doctest::Contains("the input []"), ShapeError);
  CHECK_THROWS_AS(cross_entropy(Tensor::zeros({2, 0}), classes({0, 0})), ShapeError);
  CHECK_THROWS_AS(cross_entropy(x, Tensor::zeros({2})), DTypeError);
  CHECK_THROWS_AS(cross_entropy(Tensor::zeros({2, 3}, i64), classes({0, 1})), DTypeError);
  for (const double smoothing : {-0.1, 1.1, quiet_nan})
    CHECK_THROWS_WITH_AS(cross_entropy(x, classes({0, 1}), {.label_smoothing = smoothing}),
                         doctest::Contains("label_smoothing"), ValueError);
}
