#include "weft/optim/schedule.hpp"

#include <doctest/doctest.h>

#include <functional>

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

TEST_CASE("a product multiplies, a plateau among its factors") {
  optim::Plateau plateau({.factor = 0.5, .patience = 0});
  const auto schedule = optim::product({optim::inverse_sqrt(4), optim::constant(3), std::ref(plateau)});
  CHECK(schedule(2) == 1.5);
  plateau.observe(1);
  plateau.observe(1);
  CHECK(schedule(2) == 0.75);
  CHECK(optim::product({})(1) == 1);
}
