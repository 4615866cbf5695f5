#include "weft/optim/rmsprop.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <memory>
#include <vector>

#include "optim/golden_steps.hpp"
#include "optim/trajectory.hpp"
#include "weft/base/error.hpp"

using namespace weft;
using test::GoldenParameters;

TEST_CASE("RMSprop takes PyTorch's steps") {
  test::check_golden_steps("rmsprop", [](GoldenParameters& p) {
    return std::make_unique<optim::RMSprop>(p.with_bias_group(),
                                            optim::RMSpropOptions{.alpha = 0.9, .eps = 1e-6, .weight_decay = 0.1});
  });

  test::check_golden_steps("rmsprop_momentum", [](GoldenParameters& p) {
    return std::make_unique<optim::RMSprop>(
        p.with_bias_group(), optim::RMSpropOptions{.alpha = 0.9, .eps = 1e-6, .weight_decay = 0.1, .momentum = 0.8});
  });

  test::check_golden_steps("rmsprop_centered", [](GoldenParameters& p) {
    return std::make_unique<optim::RMSprop>(
        p.with_bias_group(),
        optim::RMSpropOptions{.alpha = 0.9, .eps = 1e-6, .weight_decay = 0.1, .momentum = 0.8, .centered = true});
  });
}

TEST_CASE("RMSprop ends a hundred steps where PyTorch's does") {
  test::check_trajectory("rmsprop", [](const std::vector<Parameter*>& p) {
    return std::make_unique<optim::RMSprop>(p, optim::RMSpropOptions{.lr = 0.005, .weight_decay = 0.01});
  });

  test::check_trajectory("rmsprop_centered", [](const std::vector<Parameter*>& p) {
    return std::make_unique<optim::RMSprop>(
        p, optim::RMSpropOptions{.lr = 0.002, .alpha = 0.95, .momentum = 0.9, .centered = true});
  });
}

TEST_CASE("RMSprop's options have PyTorch's defaults") {
  const optim::RMSpropOptions o;
  CHECK(o.lr == 1e-2);
  CHECK(o.alpha == 0.99);
  CHECK(o.eps == 1e-8);
  CHECK(o.weight_decay == 0);
  CHECK(o.momentum == 0);
  CHECK_FALSE(o.centered);
}

TEST_CASE("RMSprop keeps the buffers that it needs") {
  Parameter p("p", Tensor::zeros({2}));
  const auto last = [&](const optim::RMSpropOptions& o) { return optim::RMSprop(std::vector{&p}, o).state_dict().back().name; };
  CHECK(last({}) == "p.square_avg");
  CHECK(last({.momentum = 0.5}) == "p.momentum_buffer");
  CHECK(last({.centered = true}) == "p.grad_avg");
  CHECK(optim::RMSprop(std::vector{&p}, {.momentum = 0.5, .centered = true}).state_dict().size() == 5);
}

TEST_CASE("centered RMSprop stays finite where equal gradients have no deviation") {
  for (const DType type : {f32, f64}) {
    Parameter p("p", Tensor::zeros({19}, type));
    optim::RMSprop optimizer(std::vector{&p}, {.alpha = 0.5, .centered = true});
    for (int step = 0; step < 200; ++step) {
      p.add_grad(Tensor::full({19}, 0.1 + 0.7, type));
      optimizer.step();
      CHECK(std::isfinite(p.value().at({0})));
      CHECK(p.value().at({0}) == p.value().at({18}));
    }
  }
}

TEST_CASE("RMSprop: gradients of zero change nothing, not even without eps") {
  for (const DType type : {f32, f64}) {
    Parameter p("p", Tensor::full({19}, 0.3, type));
    optim::RMSprop optimizer(std::vector{&p}, {.eps = 0, .momentum = 0.9, .centered = true});
    for (int step = 0; step < 3; ++step) {
      p.add_grad(Tensor::zeros({19}, type));
      optimizer.step();
    }
    CHECK(test::relative_error(p.value(), Tensor::full({19}, 0.3, type)) == 0);
  }
}

TEST_CASE("RMSprop refuses options out of range") {
  Parameter p("p", Tensor::zeros({2}));
  const std::vector<Parameter*> all{&p};
  constexpr double nan = std::numeric_limits<double>::quiet_NaN();
  CHECK_THROWS_WITH_AS(optim::RMSprop(all, {.lr = -1}), doctest::Contains("learning rate is -1"), ValueError);
  CHECK_THROWS_WITH_AS(optim::RMSprop(all, {.weight_decay = nan}), doctest::Contains("weight_decay is nan"), ValueError);
  CHECK_THROWS_WITH_AS(optim::RMSprop(all, {.alpha = 1}), doctest::Contains("alpha is 1"), ValueError);
  CHECK_THROWS_WITH_AS(optim::RMSprop(all, {.eps = -1}), doctest::Contains("eps is -1"), ValueError);
  CHECK_THROWS_WITH_AS(optim::RMSprop(all, {.momentum = nan}), doctest::Contains("momentum is nan"), ValueError);
}
