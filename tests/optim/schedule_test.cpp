#include "weft/optim/schedule.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <functional>
#include <limits>
#include <vector>

#include "golden/golden.hpp"
#include "weft/base/error.hpp"
#include "weft/optim/plateau.hpp"

using namespace weft;

TEST_CASE("a constant schedule is the same at every step") {
  CHECK(optim::constant()(1) == 1);
  CHECK(optim::constant(0.5)(1000000) == 0.5);
}

TEST_CASE("updates are counted from 1") {
  for (const optim::Schedule& schedule :
       {optim::constant(), optim::inverse_sqrt(4), optim::linear_warmup(4), optim::cosine(4), optim::step(4),
        optim::exponential(0.9), optim::polynomial(4), optim::cyclic(), optim::one_cycle({.steps = 4}),
        optim::warmup(4, optim::cosine(4)), optim::product({optim::cosine(4)})})
    for (const std::int64_t step : {0, -3})
      CHECK_THROWS_WITH_AS(schedule(step), doctest::Contains("updates are counted from 1"), ValueError);
}

TEST_CASE("the inverse square root rises to 1 and falls from there") {
  const auto schedule = optim::inverse_sqrt(400);
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

TEST_CASE("schedules are PyTorch's") {
  const test::Golden golden = test::Golden::load("schedules");
  const auto check = [&](const char* name, const optim::Schedule& schedule) {
    INFO(name);
    for (std::int64_t step = 1; step <= 40; ++step) CHECK(std::abs(schedule(step) - golden[name].at({step - 1})) < 1e-14);
  };
  using enum optim::CycleShape;
  check("exponential", optim::exponential(0.9));
  check("polynomial", optim::polynomial(30, 2));
  check("polynomial_linear", optim::polynomial(50));
  check("cyclic", optim::cyclic({.up = 5, .down = 5}));
  check("cyclic_halved", optim::cyclic({.up = 5, .down = 8, .shape = halved}));
  check("cyclic_decaying", optim::cyclic({.up = 5, .down = 3, .shape = decaying, .gamma = 0.95}));
  check("one_cycle", optim::one_cycle({.steps = 41}));
  check("one_cycle_linear",
        optim::one_cycle({.steps = 41, .rise = 0.4, .start_divisor = 10, .end_divisor = 100, .linear = true}));
  check("one_cycle_three_phases", optim::one_cycle({.steps = 41, .start_divisor = 5, .three_phases = true}));
  // PyTorch's warm-up starts above 0 and ends a step later.
  const auto warmed = optim::warmup(4, optim::exponential(0.9));
  for (std::int64_t step = 4; step <= 40; ++step)
    CHECK(std::abs(warmed(step + 1) - golden["warmup_exponential"].at({step - 1})) < 1e-14);
}

TEST_CASE("a polynomial falls to its least and stays there") {
  const auto schedule = optim::polynomial(4, 2, 0.2);
  CHECK(schedule(1) == 1);
  CHECK(schedule(3) == doctest::Approx(0.2 + 0.8 / 4));
  CHECK(schedule(5) == 0.2);
  CHECK(schedule(1000) == 0.2);
}

TEST_CASE("one cycle ends at its end, stays there, and takes short cycles") {
  const auto schedule = optim::one_cycle({.steps = 20});
  CHECK(schedule(1) == doctest::Approx(0.04));
  CHECK(schedule(20) == doctest::Approx(4e-6));
  CHECK(schedule(1000) == schedule(20));
  const auto rising = optim::one_cycle({.steps = 10, .rise = 1});
  CHECK(rising(10) == 1);
  CHECK(rising(11) == 1);
  for (const bool linear : {false, true})
    for (const bool three : {false, true})
      for (const double rise : {0.0, 0.1, 0.5})
        for (const std::int64_t steps : {1, 2, 3, 10})
          for (std::int64_t step = 1; step <= steps + 2; ++step) {
            const double factor =
                optim::one_cycle({.steps = steps, .rise = rise, .linear = linear, .three_phases = three})(step);
            CHECK(factor >= 4e-6 * (1 - 1e-9));
            CHECK(factor <= 1);
          }
}

TEST_CASE("a warm-up goes before any schedule, which starts where it ends") {
  const auto schedule = optim::warmup(4, optim::step(2, 0.5));
  const std::vector<double> expected = {0.25, 0.5, 0.75, 1, 1, 1, 0.5, 0.5, 0.25};
  for (std::size_t i = 0; i < expected.size(); ++i) CHECK(schedule(static_cast<std::int64_t>(i) + 1) == expected[i]);
  CHECK(optim::warmup(2, optim::constant(0.5))(1) == 0.25);
}

TEST_CASE("schedules refuse what makes no sense") {
  constexpr double nan = std::numeric_limits<double>::quiet_NaN();
  CHECK_THROWS_WITH_AS(optim::exponential(-1), doctest::Contains("factor is -1"), ValueError);
  CHECK_THROWS_WITH_AS(optim::exponential(nan), doctest::Contains("factor is nan"), ValueError);
  CHECK_THROWS_WITH_AS(optim::polynomial(0), doctest::Contains("over 0 steps"), ValueError);
  CHECK_THROWS_WITH_AS(optim::polynomial(5, -1), doctest::Contains("power is -1"), ValueError);
  CHECK_THROWS_WITH_AS(optim::polynomial(5, 1, 2), doctest::Contains("least is 2"), ValueError);
  CHECK_THROWS_WITH_AS(optim::cyclic({.up = 0}), doctest::Contains("up 0"), ValueError);
  CHECK_THROWS_WITH_AS(optim::cyclic({.down = std::numeric_limits<std::int64_t>::max()}), doctest::Contains("must be in 1.."),
                       ValueError);
  CHECK_THROWS_WITH_AS(optim::cyclic({.down = -3}), doctest::Contains("down -3"), ValueError);
  CHECK_THROWS_WITH_AS(optim::cyclic({.least = nan}), doctest::Contains("least is nan"), ValueError);
  CHECK_THROWS_WITH_AS(optim::cyclic({.gamma = 1.5}), doctest::Contains("gamma is 1.5"), ValueError);
  CHECK_THROWS_WITH_AS(optim::one_cycle({}), doctest::Contains("a cycle of 0 steps"), ValueError);
  CHECK_THROWS_WITH_AS(optim::one_cycle({.steps = 9, .rise = 1.1}), doctest::Contains("rise is 1.1"), ValueError);
  CHECK_THROWS_WITH_AS(optim::one_cycle({.steps = 9, .rise = 0.6, .three_phases = true}), doctest::Contains("[0, 0.5]"),
                       ValueError);
  CHECK_THROWS_WITH_AS(optim::one_cycle({.steps = 9, .start_divisor = 0.5}), doctest::Contains("start_divisor 0.5"),
                       ValueError);
  CHECK_THROWS_WITH_AS(optim::one_cycle({.steps = 9, .end_divisor = nan}), doctest::Contains("end_divisor nan"), ValueError);
  CHECK_THROWS_WITH_AS(optim::warmup(0, optim::constant()), doctest::Contains("a warm-up of 0 steps"), ValueError);
  CHECK_THROWS_WITH_AS(optim::warmup(5, {}), doctest::Contains("no schedule"), ValueError);
  CHECK_THROWS_WITH_AS(optim::product({optim::constant(), optim::Schedule()}), "[product] schedule 1 of 2 is empty",
                       ValueError);
  for (const double factor : {nan, -1.0, std::numeric_limits<double>::infinity()})
    CHECK_THROWS_WITH_AS(optim::constant(factor), doctest::Contains("[constant] the factor is"), ValueError);
}

TEST_CASE("a product multiplies, a plateau among its factors") {
  optim::Plateau plateau({.factor = 0.5, .patience = 0});
  const auto schedule = optim::product({optim::inverse_sqrt(4), optim::constant(3), std::ref(plateau)});
  CHECK(schedule(2) == 1.5);
  plateau.observe(1);
  plateau.observe(1);
  CHECK(schedule(2) == 0.75);
  CHECK(optim::product({})(1) == 1);
  CHECK_THROWS_AS(optim::product({})(0), ValueError);
}
