#include "weft/ops/normalization.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <string>

#include "golden/golden.hpp"
#include "support/random.hpp"
#include "weft/autograd/gradcheck.hpp"
#include "weft/autograd/recompute.hpp"
#include "weft/autograd/tape.hpp"
#include "weft/base/error.hpp"
#include "weft/ops/elementwise.hpp"
#include "weft/ops/reduce.hpp"

using namespace weft;
using namespace weft::test;

namespace {

double tolerance(DType dtype) { return dtype == f32 ? 1e-6 : 1e-12; }

Tensor ones(const Shape& shape) { return Tensor::ones(shape); }

constexpr double inf = std::numeric_limits<double>::infinity(), quiet_nan = std::numeric_limits<double>::quiet_NaN();

}  // namespace

TEST_CASE("batch_norm equals PyTorch's, running values included") {
  const Golden golden = Golden::load("batch_norm");
  for (const DType dtype : {f32, f64}) {
    Tensor mean = Tensor::zeros({3}, dtype), variance = Tensor::ones({3}, dtype);
    for (int step = 0; step < 3; ++step) {
      CAPTURE(step);
      const auto of = [&](const char* name) { return golden[std::to_string(step) + "." + name].to(dtype); };
      Tape tape;
      const Var x = tape.leaf(of("input")), weight = tape.leaf(golden["weight"].to(dtype)),
                bias = tape.leaf(golden["bias"].to(dtype));
      const Var y = batch_norm(x, mean, variance, weight, bias, {.training = step < 2, .momentum = 0.2, .eps = 1e-3});
      CHECK(relative_error(y.value(), of("output").to(f64)) <= tolerance(dtype));
      CHECK(relative_error(mean, of("running_mean").to(f64)) <= tolerance(dtype));
      CHECK(relative_error(variance, of("running_var").to(f64)) <= tolerance(dtype));
      tape.backward(y, of("cotangent.output"));
      CHECK(relative_error(tape.grad(x), of("grad.input").to(f64)) <= 2 * tolerance(dtype));
      CHECK(relative_error(tape.grad(weight), of("grad.weight").to(f64)) <= 2 * tolerance(dtype));
      CHECK(relative_error(tape.grad(bias), of("grad.bias").to(f64)) <= tolerance(dtype));
    }
  }
}

TEST_CASE("group_norm equals PyTorch's") {
  const Golden golden = Golden::load("group_norm");
  for (const DType dtype : {f32, f64}) {
    Tape tape;
    const Var x = tape.leaf(golden["input"].to(dtype)), weight = tape.leaf(golden["weight"].to(dtype)),
              bias = tape.leaf(golden["bias"].to(dtype));
    const Var y = group_norm(x, 3, weight, bias, golden["eps"].item());
    CHECK(relative_error(y.value(), golden["output"]) <= tolerance(dtype));
    tape.backward(y, golden["cotangent.output"].to(dtype));
    CHECK(relative_error(tape.grad(x), golden["grad.input"]) <= 2 * tolerance(dtype));
    CHECK(relative_error(tape.grad(weight), golden["grad.weight"]) <= 2 * tolerance(dtype));
    CHECK(relative_error(tape.grad(bias), golden["grad.bias"]) <= tolerance(dtype));
  }
}

TEST_CASE("rms_norm by hand") {
  const Tensor x = Tensor::from<double>({3, 4, 0, 0}, {2, 2}), weight = Tensor::from<double>({2, 10}, {2});
  const Tensor y = rms_norm(x, weight, 0.0).value();  // the root of 12.5
  CHECK(y.at({0, 0}) == doctest::Approx(6 / std::sqrt(12.5)).epsilon(1e-14));
  CHECK(y.at({0, 1}) == doctest::Approx(40 / std::sqrt(12.5)).epsilon(1e-14));
  for (const DType dtype : {f32, f64}) {
    Tape tape;
    const Var zero = tape.leaf(Tensor::zeros({3, 4}, dtype)), out = rms_norm(zero);
    CHECK(largest(out.value()) == 0);
    tape.backward(sum(out));
    // 1 / sqrt(eps)
    CHECK(tape.grad(zero).at({1, 2}) ==
          doctest::Approx(dtype == f32 ? std::pow(2.0, 11.5) : std::pow(2.0, 26.0)).epsilon(1e-6));
  }
}

TEST_CASE("running values move only in training where a tape records, once a call") {
  const Tensor x = Tensor::from<float>({1, 2, 3, 5, 2, 2}, {3, 2});
  Tensor mean = Tensor::zeros({2}), variance = ones({2});
  const auto call = [&](bool training) { batch_norm(x, mean, variance, {}, {}, {.training = training, .momentum = 0.5}); };
  call(true);  // no tape
  CHECK(mean.at({0}) == 0);
  Tape tape;
  call(false);
  {
    const NoGrad guard;
    call(true);
  }
  CHECK(mean.at({0}) == 0);
  CHECK(variance.at({0}) == 1);
  call(true);  // means 2 and 3, variances 1 and 3 by n - 1
  CHECK(mean.at({0}) == 1);
  CHECK(mean.at({1}) == 1.5);
  CHECK(variance.at({0}) == doctest::Approx(1));
  CHECK(variance.at({1}) == doctest::Approx(2));
  call(true);
  CHECK(mean.at({1}) == 2.25);
  // The views of a larger tensor, and one without the other.
  Tensor both = Tensor::zeros({2, 2});
  batch_norm(x, both.select(1, 0), both.select(1, 1), {}, {}, {.training = true, .momentum = 1});
  CHECK(both.at({0, 0}) == 2);
  CHECK(both.at({1, 1}) == doctest::Approx(3));
  batch_norm(x, {}, both.select(1, 0), {}, {}, {.training = true, .momentum = 1});
  CHECK(both.at({1, 0}) == doctest::Approx(3));
}

TEST_CASE("a failed call and an empty batch leave the running values alone") {
  Tape tape;
  Tensor mean = Tensor::full({3}, 4), variance = Tensor::full({3}, 9);
  CHECK_THROWS_AS(batch_norm(ones({2, 3}), mean, variance, ones({2}), {}, {.training = true}), ShapeError);
  CHECK_THROWS_AS(batch_norm(ones({1, 3}), mean, variance, {}, {}, {.training = true}), ValueError);
  CHECK(batch_norm(ones({0, 3}), mean, variance, {}, {}, {.training = true}).shape() == Shape{0, 3});
  CHECK(mean.at({0}) == 4);
  CHECK(variance.at({2}) == 9);
}

TEST_CASE("constant channels, groups and rows give the bias and finite gradients") {
  for (const DType dtype : {f32, f64}) {
    for (const double level : {0.0, 3.0, 1e4}) {
      const Tensor x = Tensor::full({4, 4, 3}, level, dtype), bias = Tensor::full({4}, 0.25, dtype);
      Tensor mean = Tensor::zeros({4}, dtype), variance = Tensor::ones({4}, dtype);
      Tape tape;
      const Var leaf = tape.leaf(x), by_batch = batch_norm(leaf, mean, variance, {}, bias, {.training = true, .momentum = 1}),
                by_group = group_norm(leaf, 2, {}, bias);
      CHECK(largest_difference(by_batch.value(), Tensor::full(x.shape(), 0.25, dtype)) == 0);
      CHECK(largest_difference(by_group.value(), Tensor::full(x.shape(), 0.25, dtype)) == 0);
      CHECK(mean.at({3}) == doctest::Approx(level));
      CHECK(variance.at({3}) >= 0);
      CHECK(variance.at({3}) <= 1e-11);
      tape.backward(sum(square(by_batch)) + sum(square(by_group)));
      CHECK(std::isfinite(largest(tape.grad(leaf))));
    }
  }
}

TEST_CASE("a large common offset costs only the digits that it must") {
  // Errors in f32 against the same numbers in f64: 1e-6 + 8 ulp of the offset.
  for (const double offset : {0.0, 1e2, 1e4}) {
    CAPTURE(offset);
    const Tensor x = uniform({64, 6, 5}, offset - 1.7, offset + 1.7, 3, f32), wide = x.to(f64);
    const double allowed = 3 * (1e-6 + offset * 0x1p-21);
    const BatchNormOptions training{.training = true, .momentum = 1};
    Tensor mean = Tensor::zeros({6}), variance = ones({6}), wide_mean = mean.to(f64).clone(), wide_variance = wide_mean.clone();
    Tape tape;
    CHECK(largest_difference(batch_norm(x, mean, variance, {}, {}, training).value().to(f64),
                             batch_norm(wide, wide_mean, wide_variance, {}, {}, training).value()) <= allowed);
    CHECK(largest_difference(mean.to(f64), wide_mean) <= 1e-6 + offset * 0x1p-23);
    CHECK(largest_difference(variance.to(f64), wide_variance) <= 1e-6);
    CHECK(largest_difference(group_norm(x, 3).value().to(f64), group_norm(wide, 3).value()) <= allowed);
    CHECK(largest_difference(rms_norm(x, {}, 1e-5).value().to(f64), rms_norm(wide, {}, 1e-5).value()) <= 1e-6);
  }
}

TEST_CASE("by running values each sample stands for itself") {
  const Tensor x = uniform({3, 2, 4}, -1, 1, 1), mean = uniform({2}, -1, 1, 2), variance = uniform({2}, 0.5, 2, 3);
  const Tensor all = batch_norm(x, mean, variance).value();
  for (std::int64_t i = 0; i < 3; ++i)
    CHECK(largest_difference(all.slice(0, i, i + 1), batch_norm(x.slice(0, i, i + 1), mean, variance).value()) == 0);
  CHECK(all.at({2, 1, 3}) == doctest::Approx((x.at({2, 1, 3}) - mean.at({1})) / std::sqrt(variance.at({1}) + 1e-5)));
}

TEST_CASE("a NaN spoils what it is normalised with, and nothing else") {
  Tensor x = uniform({4, 4, 3}, -1, 1, 1);
  x.select(0, 0).select(0, 1).slice(0, 0, 1).fill(std::numeric_limits<double>::quiet_NaN());
  const Tensor by_batch = batch_norm(x, {}, {}, {}, {}, {.training = true}).value(), by_group = group_norm(x, 2).value(),
               by_row = rms_norm(x).value();
  CHECK(std::isnan(by_batch.at({3, 1, 2})));
  CHECK(std::isfinite(by_batch.at({0, 0, 0})));
  CHECK(std::isnan(by_group.at({0, 0, 2})));
  CHECK(std::isfinite(by_group.at({0, 2, 2})));
  CHECK(std::isfinite(by_group.at({1, 1, 2})));
  CHECK(std::isnan(by_row.at({0, 1, 2})));
  CHECK(std::isfinite(by_row.at({0, 2, 0})));
}

TEST_CASE("wrong operands of normalisations are named") {
  using doctest::Contains;
  const Tensor x = ones({4, 6, 2}), six = ones({6});
  CHECK_THROWS_WITH_AS(batch_norm(x, six, ones({5})),
                       Contains("[batch_norm] running_var f32[5] doesn't fit input f32[4, 6, 2]: one"), ShapeError);
  CHECK_THROWS_AS(batch_norm(x, ones({5}), six), ShapeError);
  CHECK_THROWS_WITH_AS(batch_norm(six, six, six), Contains("[batch_norm] input [6]: [N, C, ...]"), ShapeError);
  CHECK_THROWS_AS(batch_norm(x, six, six.to(f64)), DTypeError);
  CHECK_THROWS_WITH_AS(batch_norm(x, six, six, six.to(f64)), Contains("weight f64[6]"), DTypeError);
  CHECK_THROWS_WITH_AS(batch_norm(x, {}, six), Contains("set training"), ValueError);
  CHECK_THROWS_AS(batch_norm(x, six, six, {}, {}, {.momentum = 2}), ValueError);
  CHECK_THROWS_AS(batch_norm(x, six, six, {}, {}, {.eps = -1}), ValueError);
  CHECK_THROWS_WITH_AS(batch_norm(ones({1, 6}), {}, {}, {}, {}, {.training = true}), Contains("one value a channel"),
                       ValueError);
  CHECK_THROWS_AS(batch_norm(Tensor(), six, six), ValueError);

  CHECK_THROWS_WITH_AS(group_norm(x, 4), Contains("[group_norm] 4 groups don't divide the 6 channels of input [4, 6, 2]"),
                       ValueError);
  CHECK_THROWS_AS(group_norm(x, 0), ValueError);
  CHECK_THROWS_AS(group_norm(x, 3, ones({3})), ShapeError);
  CHECK_THROWS_AS(group_norm(six, 3), ShapeError);
  CHECK_THROWS_AS(group_norm(x.to(i64), 3), DTypeError);
  CHECK_THROWS_AS(group_norm(x, 3, {}, {}, -1e-5), ValueError);

  CHECK_THROWS_WITH_AS(rms_norm(x, six), Contains("[rms_norm] weight f32[6] doesn't fit input f32[4, 6, 2]: one"), ShapeError);
  CHECK_THROWS_AS(rms_norm(ones({})), ShapeError);
  CHECK_THROWS_AS(rms_norm(x, ones({2}).to(f64)), DTypeError);
  CHECK_THROWS_AS(rms_norm(x.to(i32)), DTypeError);
  CHECK_THROWS_AS(rms_norm(x, {}, -1.0), ValueError);
  CHECK_THROWS_WITH_AS(layer_norm(x, six), Contains("[layer_norm] weight f32[6] doesn't fit input"), ShapeError);
  CHECK_THROWS_AS(layer_norm(x, {}, {}, -1), ValueError);
}

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

TEST_CASE("running values move once where a batch norm is recomputed") {
  const Tensor input = uniform({4, 3, 5}, -1, 2, 1);
  const auto step = [&](bool again) {
    Tensor running_mean = Tensor::zeros({3}, f64), running_var = Tensor::ones({3}, f64);
    Tape tape;
    const auto norm = [&](const std::vector<Var>& in) {
      return batch_norm(in[0], running_mean, running_var, {}, {}, {.training = true});
    };
    const Var x = tape.leaf(input), y = again ? recompute(GradcheckFunction(norm), {x}) : norm({x});
    tape.backward(sum(y * y * y));
    return std::vector<Tensor>{running_mean, running_var, tape.grad(x).clone()};
  };
  const auto plain = step(false), recomputed = step(true);
  for (std::size_t i = 0; i < plain.size(); ++i) CHECK(largest_difference(recomputed[i], plain[i]) == 0);
}

TEST_CASE("the running variance is f32's own where eps is far larger") {
  const Tensor x = uniform({64, 1}, -1e-5, 1e-5, 1);
  const auto variance_of = [&](DType dtype, double eps) {
    Tensor mean = Tensor::zeros({1}, dtype), variance = Tensor::ones({1}, dtype);
    Tape tape;
    batch_norm(tape.leaf(x.to(dtype)), mean, variance, {}, {}, {.training = true, .momentum = 1, .eps = eps});
    return variance.item();
  };
  for (const double eps : {1e-5, 1e-3, 1.0})
    CHECK(variance_of(f32, eps) == doctest::Approx(variance_of(f64, eps)).epsilon(1e-5));
}
