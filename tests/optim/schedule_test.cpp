#include "weft/optim/schedule.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <functional>
#include <limits>
#include <vector>

#include "weft/base/error.hpp"
#include "weft/optim/plateau.hpp"

using namespace weft;

TEST_CASE("a constant schedule is the same at every step") {
  CHECK(optim::constant()(1) == 1);
  CHECK(optim::constant(0.5)(1000000) == 0.5);
}

TEST_CASE("the inverse square root rises to 1 and falls from there") {
  const auto schedule = optim::inverse_sqrt(400);
  CHECK(schedule(0) == 0);
  CHECK(schedule(1) == 1.0 / 400);
  CHECK(schedule(100) == 0.25);
  CHECK(schedule(400) == 1);
  CHECK(schedule(1600) == 0.5);
  CHECK(optim::inverse_sqrt(1)(1) == 1);
  CHECK_THROWS_AS(optim::inverse_sqrt(0), ValueError);
}

TEST_CASE("a linear warm-up rises to 1 and stays there") {
  const auto schedule = optim::linear_warmup(400);
  CHECK(schedule(1) == 1.0 / 400);
  CHECK(schedule(400) == 1);
  CHECK(schedule(1600) == 1);
  CHECK_THROWS_AS(optim::linear_warmup(0), ValueError);
}

TEST_CASE("half a cosine and steps are PyTorch's CosineAnnealingLR and StepLR") {
  const auto check = [](const optim::Schedule& schedule, const std::vector<double>& expected) {
    for (std::size_t i = 0; i < expected.size(); ++i)
      CHECK(std::abs(schedule(static_cast<std::int64_t>(i) + 1) - expected[i]) < 1e-14);
  };
  // lr 1, T_max 5, eta_min 0.1; T_max 4; step_size 3, gamma 0.5; step_size 2.
  check(optim::cosine(5, 0.1), {1, 0.9140576474687263, 0.6890576474687263, 0.41094235253127365, 0.1859423525312737, 0.1,
                                0.18594235253127367, 0.41094235253127387, 0.6890576474687268, 0.9140576474687271,
                                1.0000000000000009, 0.9140576474687274, 0.689057647468727});
  check(optim::cosine(4), {1, 0.8535533905932737, 0.5, 0.14644660940672627, 0, 0.1464466094067262, 0.5000000000000001,
                           0.8535533905932742, 1.0000000000000004});
  check(optim::step(3, 0.5), {1, 1, 1, 0.5, 0.5, 0.5, 0.25, 0.25, 0.25, 0.125});
  check(optim::step(2), {1, 1, 0.1, 0.1, 0.010000000000000002, 0.010000000000000002});
  CHECK_THROWS_AS(optim::cosine(0), ValueError);
  CHECK_THROWS_AS(optim::cosine(5, -0.1), ValueError);
  CHECK_THROWS_AS(optim::cosine(5, 1.1), ValueError);
  CHECK_THROWS_AS(optim::step(0), ValueError);
  CHECK_THROWS_AS(optim::step(5, -1), ValueError);
  CHECK_THROWS_AS(optim::step(5, std::numeric_limits<double>::quiet_NaN()), ValueError);
}

TEST_CASE("a product multiplies, a plateau among its factors") {
  optim::Plateau plateau({.factor = 0.5, .patience = 0});
  const auto schedule = optim::product({optim::inverse_sqrt(4), optim::constant(3), std::ref(plateau)});
  CHECK(schedule(2) == 1.5);
  plateau.observe(1);
  plateau.observe(1);
  CHECK(schedule(2) == 0.75);
  CHECK(optim::product({})(1) == 1);
}
