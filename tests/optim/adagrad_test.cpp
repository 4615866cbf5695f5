#include "weft/optim/adagrad.hpp"

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

TEST_CASE("Adagrad takes PyTorch's steps") {
  test::check_golden_steps("adagrad", [](GoldenParameters& p) {
    return std::make_unique<optim::Adagrad>(
        p.with_bias_group(), optim::AdagradOptions{.lr_decay = 0.1, .weight_decay = 0.1, .initial_accumulator_value = 0.2});
  });
}

TEST_CASE("Adagrad ends a hundred steps where PyTorch's does") {
  test::check_trajectory("adagrad", [](const std::vector<Parameter*>& p) {
    return std::make_unique<optim::Adagrad>(p, optim::AdagradOptions{.lr = 0.1, .lr_decay = 0.01, .weight_decay = 0.01});
  });
}

TEST_CASE("Adagrad's options have PyTorch's defaults") {
  const optim::AdagradOptions o;
  CHECK(o.lr == 1e-2);
  CHECK(o.lr_decay == 0);
  CHECK(o.weight_decay == 0);
  CHECK(o.initial_accumulator_value == 0);
  CHECK(o.eps == 1e-10);
}

TEST_CASE("Adagrad's sum starts at its initial value") {
  Parameter p("p", Tensor::zeros({2}, f64));
  const auto state = optim::Adagrad(std::vector{&p}, {.initial_accumulator_value = 0.5}).state_dict();
  CHECK(state.back().name == "p.sum");
  CHECK(state.back().tensor.at({1}) == 0.5);
}

TEST_CASE("Adagrad: gradients of zero change nothing, not even without eps") {
  for (const DType type : {f32, f64}) {
    Parameter p("p", Tensor::full({19}, 0.3, type));
    optim::Adagrad optimizer(std::vector{&p}, {.eps = 0});
    for (int step = 0; step < 3; ++step) {
      p.add_grad(Tensor::zeros({19}, type));
      optimizer.step();
    }
    CHECK(test::relative_error(p.value(), Tensor::full({19}, 0.3, type)) == 0);
  }
}

TEST_CASE("Adagrad refuses options out of range") {
  Parameter p("p", Tensor::zeros({2}));
  const std::vector<Parameter*> all{&p};
  constexpr double nan = std::numeric_limits<double>::quiet_NaN();
  CHECK_THROWS_WITH_AS(optim::Adagrad(all, {.lr = -1}), doctest::Contains("learning rate is -1"), ValueError);
  CHECK_THROWS_WITH_AS(optim::Adagrad(all, {.weight_decay = nan}), doctest::Contains("weight_decay is nan"), ValueError);
  CHECK_THROWS_WITH_AS(optim::Adagrad(all, {.lr_decay = -1}), doctest::Contains("lr_decay is -1"), ValueError);
  CHECK_THROWS_WITH_AS(optim::Adagrad(all, {.initial_accumulator_value = -1}),
                       doctest::Contains("initial_accumulator_value is -1"), ValueError);
  CHECK_THROWS_WITH_AS(optim::Adagrad(all, {.eps = nan}), doctest::Contains("eps is nan"), ValueError);
}
