#include "weft/nn/residual.hpp"

#include <doctest/doctest.h>

#include "nn/wrapper_checks.hpp"
#include "support/random.hpp"
#include "weft/autograd/gradcheck.hpp"
#include "weft/base/error.hpp"
#include "weft/nn/linear.hpp"
#include "weft/nn/lstm.hpp"
#include "weft/ops/elementwise.hpp"
#include "weft/ops/reduce.hpp"

using namespace weft;
using doctest::Contains;
using test::largest_difference;
using test::uniform;

TEST_CASE("Residual adds what its module makes, of a struct the main member") {
  nn::Residual<nn::Linear> layer(nn::LinearOptions{.in_features = 3, .out_features = 3});
  layer.to(f64);
  CHECK(layer.state_dict()[0].name == "module.weight");
  const Tensor x = uniform({2, 5, 3}, -1, 1, 1);
  CHECK(largest_difference(layer(x).value(), add(x, layer.module(x)).value()) == 0);

  nn::Residual<nn::LSTM> recurrent(nn::LSTMOptions{.input_size = 3, .hidden_size = 3});
  recurrent.to(f64);
  const Tensor lengths = Tensor::from<std::int64_t>({5, 2}, {2});
  CHECK(largest_difference(recurrent(x, lengths).value(), add(x, recurrent.module(x, lengths).output).value()) == 0);
}

TEST_CASE("Residual passes the gradient checks of both orders") {
  nn::Residual<nn::LSTM> layer(nn::LSTMOptions{.input_size = 2, .hidden_size = 2});
  test::check_gradients_around_lstm(layer);
}

TEST_CASE("Residual broadcasts nothing") {
  nn::Residual<nn::Linear> layer(nn::LinearOptions{.in_features = 3, .out_features = 1});
  CHECK_THROWS_WITH_AS(layer(Tensor::zeros({2, 3})), Contains("[Residual] the module made f32[2, 1] of input f32[2, 3]"),
                       ShapeError);
  CHECK_THROWS_AS(nn::add_residual("Residual", Var(), Tensor::zeros({2})), ValueError);
  CHECK_THROWS_AS(nn::add_residual("Residual", Tensor::zeros({2}), Var()), ValueError);
  CHECK_THROWS_AS(nn::add_residual("Residual", Tensor::zeros({2}), Tensor::zeros({2}, f64)), DTypeError);
}
