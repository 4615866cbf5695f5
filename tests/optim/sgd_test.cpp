#include "weft/optim/sgd.hpp"

#include <doctest/doctest.h>

#include <memory>

#include "optim/golden_steps.hpp"
#include "optim/trajectory.hpp"
#include "weft/base/error.hpp"

using namespace weft;
using test::GoldenParameters;

TEST_CASE("SGD takes PyTorch's steps") {
  test::check_golden_steps(
      "sgd", [](GoldenParameters& p) { return std::make_unique<optim::SGD>(p.all, optim::SGDOptions{.weight_decay = 0.05}); });
}

TEST_CASE("SGD with Nesterov momentum takes PyTorch's steps") {
  test::check_golden_steps("sgd_nesterov", [](GoldenParameters& p) {
    return std::make_unique<optim::SGD>(p.all, optim::SGDOptions{.momentum = 0.9, .weight_decay = 0.05, .nesterov = true});
  });
}

TEST_CASE("SGD with dampened momentum takes PyTorch's steps") {
  test::check_golden_steps("sgd_dampened", [](GoldenParameters& p) {
    return std::make_unique<optim::SGD>(p.all, optim::SGDOptions{.momentum = 0.8, .dampening = 0.3});
  });
}

TEST_CASE("SGD ends a hundred steps where PyTorch's does") {
  test::check_trajectory("sgd", [](const std::vector<Parameter*>& p) {
    return std::make_unique<optim::SGD>(p,
                                        optim::SGDOptions{.lr = 0.1, .momentum = 0.9, .weight_decay = 0.01, .nesterov = true});
  });
}

TEST_CASE("SGD refuses options out of range") {
  Parameter p("p", Tensor::zeros({2}));
  const std::vector<Parameter*> all{&p};
  CHECK_THROWS_AS(optim::SGD(all, {.momentum = -1}), ValueError);
  CHECK_THROWS_AS(optim::SGD(all, {.weight_decay = -1}), ValueError);
  CHECK_THROWS_AS(optim::SGD(all, {.nesterov = true}), ValueError);
  CHECK_THROWS_AS(optim::SGD(all, {.momentum = 0.9, .dampening = 0.1, .nesterov = true}), ValueError);
}

TEST_CASE("SGD keeps no buffer without momentum") {
  Parameter p("p", Tensor::zeros({2}));
  CHECK(optim::SGD(std::vector{&p}).state_dict().size() == 2);
  CHECK(optim::SGD(std::vector{&p}, {.momentum = 0.5}).state_dict().back().name == "p.momentum_buffer");
}
