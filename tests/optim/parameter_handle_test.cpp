#include "weft/optim/parameter_handle.hpp"

#include <doctest/doctest.h>

#include <optional>

#include "weft/base/error.hpp"
#include "weft/nn/linear.hpp"
#include "weft/optim/adam.hpp"
#include "weft/optim/lbfgs.hpp"
#include "weft/optim/weight_average.hpp"

using namespace weft;

TEST_CASE("what keeps the parameters of a layer that was replaced says so where it needs them") {
  std::optional<nn::Linear> layer(std::in_place, nn::LinearOptions{.in_features = 2, .out_features = 1});
  optim::Adam adam(layer->parameters());
  optim::LBFGS lbfgs(layer->parameters());
  optim::WeightAverage average(layer->parameters());
  average.update();
  const auto state = adam.state_dict();
  layer.emplace(nn::LinearOptions{.in_features = 2, .out_features = 1});
  const auto refuse = [](const auto& call) {
    CHECK_THROWS_WITH_AS(call(), doctest::Contains("'weight' is gone with its module"), ValueError);
  };
  refuse([&] { adam.step(); });
  refuse([&] { adam.clear_grad(); });
  refuse([&] { adam.state_dict(); });
  refuse([&] { adam.load_state_dict(state); });
  refuse([&] { lbfgs.step([] { return 0.0; }); });
  refuse([&] { average.update(); });
  refuse([&] { average.swap(); });
}

TEST_CASE("a layer that the function itself replaces in an LBFGS step keeps its own weights") {
  std::optional<nn::Linear> layer(std::in_place, nn::LinearOptions{.in_features = 2, .out_features = 1});
  nn::Linear other({.in_features = 2, .out_features = 1});
  std::vector<Parameter*> parameters = layer->parameters();
  for (Parameter* parameter : other.parameters()) parameters.push_back(parameter);
  optim::LBFGS lbfgs(parameters);
  const Tensor others = other.weight->value().clone();
  const auto replace = [&] {
    layer.emplace(nn::LinearOptions{.in_features = 2, .out_features = 1});
    layer->weight->mutable_value().fill(5);
    other.weight->mutable_value().fill(7);
    return 0.0;
  };
  CHECK_THROWS_WITH_AS(lbfgs.step(replace), doctest::Contains("'weight' is gone with its module"), ValueError);
  CHECK(layer->weight->value().str() == Tensor::full({1, 2}, 5).str());
  CHECK(other.weight->value().str() == others.str());  // back to what it was, as after any error
}
