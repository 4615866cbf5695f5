#include "weft/optim/parameter_handle.hpp"

#include <doctest/doctest.h>

#include <optional>

#include "weft/base/error.hpp"
#include "weft/nn/linear.hpp"
#include "weft/optim/adam.hpp"
#include "weft/optim/lbfgs.hpp"
#include "weft/optim/weight_average.hpp"

using namespace weft;

TEST_CASE("what keeps the parameters of a layer that was replaced says so, whatever is asked of it") {
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
