#include "weft/optim/plateau.hpp"

#include <doctest/doctest.h>

#include <limits>
#include <vector>

#include "golden/golden.hpp"
#include "weft/base/error.hpp"

using namespace weft;
using optim::Better;
using optim::Plateau;

TEST_CASE("a plateau reduces the learning rate as PyTorch's does, resumed or not") {
  const std::vector<optim::PlateauOptions> settings = {
      {.factor = 0.5, .patience = 1},
      {.factor = 0.3, .patience = 0, .cooldown = 2, .min_factor = 0.01},
      {.factor = 0.5, .patience = 1, .threshold = 0.5, .relative_threshold = false},
      {.better = Better::higher, .factor = 0.1, .patience = 2, .threshold = 0.1},
      {.better = Better::higher, .factor = 0.1, .patience = 1, .relative_threshold = false, .eps = 0.05},
  };
  const auto golden = test::Golden::load("plateau");
  const Tensor& metrics = golden["metrics"];
  for (std::size_t row = 0; row < settings.size(); ++row) {
    INFO("setting ", row);
    StateDict state = Plateau(settings[row]).state_dict();
    for (std::int64_t epoch = 0; epoch < metrics.numel(); ++epoch) {
      Plateau plateau(settings[row]);
      plateau.load_state_dict(state);
      CHECK(plateau.observe(metrics.at({epoch})) ==
            doctest::Approx(golden["factors"].at({static_cast<std::int64_t>(row), epoch})).epsilon(1e-12));
      state = plateau.state_dict();
    }
  }
}

TEST_CASE("NaN is never better") {
  Plateau plateau({.patience = 0});
  CHECK(plateau.observe(std::numeric_limits<double>::quiet_NaN()) == 0.1);
  CHECK(plateau.best() == std::numeric_limits<double>::infinity());
}

TEST_CASE("a plateau refuses options out of range") {
  CHECK_THROWS_AS(Plateau({.factor = 1}), ValueError);
  CHECK_THROWS_AS(Plateau({.patience = -1}), ValueError);
  CHECK_THROWS_AS(Plateau({.cooldown = -1}), ValueError);
  CHECK_THROWS_AS(Plateau({.threshold = -1}), ValueError);
  CHECK_THROWS_WITH_AS(Plateau({.threshold = 1}), doctest::Contains("threshold is 1, not below 1"), ValueError);
  CHECK(Plateau({.threshold = 1, .relative_threshold = false}).observe(5) == 1);
}

TEST_CASE("a plateau's state that doesn't fit changes nothing") {
  Plateau plateau;
  plateau.observe(3);
  auto state = plateau.state_dict();
  state[1].tensor = Tensor::full({}, 1, f64);
  SUBCASE("a negative count") { state[2].tensor = Tensor::full({}, -1, i64); }
  SUBCASE("another dtype") { state[2].tensor = Tensor::full({}, 1, f64); }
  SUBCASE("a name missing") { state.pop_back(); }
  CHECK_THROWS_AS(plateau.load_state_dict(state), Error);
  CHECK(plateau.best() == 3);
}
