#include "weft/nn/highway.hpp"

#include <doctest/doctest.h>

#include <cmath>

#include "nn/wrapper_checks.hpp"
#include "support/random.hpp"
#include "weft/autograd/gradcheck.hpp"
#include "weft/base/error.hpp"
#include "weft/nn/lstm.hpp"
#include "weft/ops/elementwise.hpp"
#include "weft/ops/reduce.hpp"

using namespace weft;
using doctest::Contains;
using test::uniform;

TEST_CASE("Highway equals the paper's equation") {
  nn::Highway<nn::Linear> layer({.features = 3, .gate_bias = -2}, nn::LinearOptions{.in_features = 3, .out_features = 3});
  layer.to(f64);
  for (const std::int64_t i : {0, 1, 2}) CHECK(layer.gate.bias->value().at({i}) == -2);
  const Tensor x = uniform({4, 3}, -1, 1, 1), y = layer(x).value(), h = layer.module(x).value();
  for (std::int64_t row = 0; row < 4; ++row)
    for (std::int64_t i = 0; i < 3; ++i) {
      double gate = layer.gate.bias->value().at({i});
      for (std::int64_t j = 0; j < 3; ++j) gate += layer.gate.weight->value().at({i, j}) * x.at({row, j});
      const double t = 1 / (1 + std::exp(-gate));
      CHECK(y.at({row, i}) == doctest::Approx(t * h.at({row, i}) + (1 - t) * x.at({row, i})).epsilon(1e-12));
    }
}

TEST_CASE("Highway passes the gradient checks of both orders, around a recurrent layer with lengths") {
  nn::Highway<nn::LSTM> layer({.features = 2}, nn::LSTMOptions{.input_size = 2, .hidden_size = 2});
  test::check_gradients_around_lstm(layer);
}

TEST_CASE("Highway broadcasts nothing") {
  nn::Highway<nn::Linear> layer({.features = 3}, nn::LinearOptions{.in_features = 3, .out_features = 1});
  CHECK_THROWS_WITH_AS(layer(Tensor::zeros({2, 3})), Contains("[Highway] the module made f32[2, 1] of input f32[2, 3]"),
                       ShapeError);
  nn::Highway<nn::Linear> narrow({.features = 2}, nn::LinearOptions{.in_features = 3, .out_features = 3});
  CHECK_THROWS_WITH_AS(narrow(Tensor::zeros({2, 3})), Contains("(in gate)"), ShapeError);
  CHECK_THROWS_AS(nn::Highway<nn::Linear>({}, nn::LinearOptions{.in_features = 3, .out_features = 3}), ValueError);
  CHECK_THROWS_AS(nn::mix_highway("Highway", Tensor::zeros({2}), Var(), Tensor::zeros({2})), ValueError);
  CHECK_THROWS_AS(nn::mix_highway("Highway", Tensor::zeros({2}), Tensor::zeros({2}), Tensor::zeros({1})), ShapeError);
}
