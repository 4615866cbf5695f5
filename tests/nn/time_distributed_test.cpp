#include "weft/nn/time_distributed.hpp"

#include <doctest/doctest.h>

#include <limits>

#include "support/lengths.hpp"
#include "support/random.hpp"
#include "weft/autograd/gradcheck.hpp"
#include "weft/autograd/tape.hpp"
#include "weft/base/error.hpp"
#include "weft/nn/batch_norm.hpp"
#include "weft/nn/conv.hpp"
#include "weft/ops/elementwise.hpp"
#include "weft/ops/reduce.hpp"

using namespace weft;
using doctest::Contains;
using test::largest_difference;
using test::lengths_of;
using test::uniform;
using test::with_nan_behind;

namespace {}  // namespace

TEST_CASE("TimeDistributed applies its module to each step by itself") {
  nn::TimeDistributed<nn::Conv2d> frames(nn::Conv2dOptions{.in_channels = 2, .out_channels = 3, .kernel_size = {2, 1}});
  frames.to(f64);
  CHECK(frames.state_dict()[0].name == "module.weight");
  const Tensor x = uniform({3, 4, 2, 5, 2}, -1, 1, 1), y = frames(x).value();
  CHECK(y.shape() == Shape{3, 4, 3, 4, 2});
  for (std::int64_t t = 0; t < 4; ++t)
    CHECK(largest_difference(y.select(1, t), frames.module(x.select(1, t)).value()) <= 1e-12);
  CHECK(largest_difference(frames(x, lengths_of({4, 4, 4})).value(), y) == 0);

  const Tensor padded = frames(with_nan_behind(x, {4, 1, 0}), lengths_of({4, 1, 0})).value();
  CHECK(largest_difference(padded.select(0, 0), y.select(0, 0)) <= 1e-12);
  CHECK(largest_difference(padded.select(0, 1).slice(0, 0, 1), y.select(0, 1).slice(0, 0, 1)) <= 1e-12);
  CHECK(test::largest(padded.select(0, 1).slice(0, 1, 4)) == 0);
  CHECK(test::largest(padded.select(0, 2)) == 0);
}

TEST_CASE("batch normalisation within TimeDistributed sees the steps of all rows together, and no padding") {
  nn::TimeDistributed<nn::BatchNorm1d> steps(nn::BatchNormOptions{.num_features = 3});
  nn::BatchNorm1d norm({.num_features = 3});
  steps.to(f64);
  norm.to(f64);
  const Tensor x = uniform({3, 4, 3}, -1, 1, 1), lengths = lengths_of({4, 1, 2});
  const Tensor expected = norm(x.transpose(1, 2), lengths).value().transpose(1, 2);
  CHECK(largest_difference(steps(with_nan_behind(x, {4, 1, 2}), lengths).value(), expected) <= 1e-12);
}

TEST_CASE("TimeDistributed passes the gradient checks of both orders") {
  nn::TimeDistributed<nn::Conv1d> module(nn::Conv1dOptions{.in_channels = 2, .out_channels = 2, .kernel_size = 2});
  module.to(f64);
  const Tensor x = uniform({3, 2, 2, 3}, -1, 1, 1), lengths = lengths_of({1, 2, 0});
  const auto run = [&](const std::vector<Var>& in) { return module(in[0], lengths); };
  gradcheck(run, {x}).require();
  gradgradcheck(run, {x}).require();
  const auto loss = [&] { return sum(square(module(with_nan_behind(x, {1, 2, 0}), lengths))); };
  gradcheck_parameters(loss, module.parameters()).require();
  gradgradcheck_parameters(loss, module.parameters()).require();
}

TEST_CASE("what doesn't fit TimeDistributed is refused") {
  nn::TimeDistributed<nn::Conv1d> module(nn::Conv1dOptions{.in_channels = 2, .out_channels = 2, .kernel_size = 2});
  CHECK_THROWS_WITH_AS(module(Tensor::zeros({4})), Contains("[TimeDistributed] input f32[4] is not [batch, steps, ...]"),
                       ShapeError);
  CHECK_THROWS_WITH_AS(module(Tensor::zeros({2, 3, 2, 4}), lengths_of({4, 0})), Contains("[TimeDistributed] length 4 of row 0"),
                       ValueError);
  CHECK_THROWS_AS(module(Tensor::zeros({2, 3, 2, 4}), lengths_of({1})), ShapeError);
  CHECK_THROWS_AS(module(Tensor::zeros({2, 3, 2, 4}), Tensor::zeros({2})), DTypeError);
  CHECK_THROWS_WITH_AS(module(Tensor::zeros({2, 3, 3, 4})), Contains("(in module)"), ShapeError);
  CHECK_THROWS_AS(module(Var()), ValueError);
  CHECK(module(Tensor::zeros({0, 3, 2, 4})).shape() == Shape{0, 3, 2, 3});
  CHECK(module(Tensor::zeros({2, 0, 2, 4})).shape() == Shape{2, 0, 2, 3});
  CHECK(test::largest(module(Tensor::ones({2, 3, 2, 4}), lengths_of({0, 0})).value()) == 0);
  const auto total = [](const Var& steps) { return sum(steps, {0}, true); };
  CHECK_THROWS_WITH_AS(nn::every_step("total", total, Tensor::zeros({2, 3, 2})),
                       Contains("f32[1, 2] of 6 steps; one output a step"), ShapeError);
}
