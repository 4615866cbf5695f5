#include "weft/optim/nadam.hpp"

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

TEST_CASE("NAdam takes PyTorch's steps") {
  test::check_golden_steps("nadam", [](GoldenParameters& p) {
    return std::make_unique<optim::NAdam>(
        p.with_bias_group(),
        optim::NAdamOptions{.betas = {0.9, 0.98}, .eps = 1e-6, .weight_decay = 0.1, .momentum_decay = 0.01});
  });
}

TEST_CASE("NAdam ends a hundred steps where PyTorch's does") {
  test::check_trajectory("nadam", [](const std::vector<Parameter*>& p) {
    return std::make_unique<optim::NAdam>(p, optim::NAdamOptions{.lr = 0.02, .weight_decay = 0.01});
  });
}

TEST_CASE("NAdam's options have PyTorch's defaults") {
  const optim::NAdamOptions o;
  CHECK(o.lr == 2e-3);
  CHECK(o.betas == std::array{0.9, 0.999});
  CHECK(o.eps == 1e-8);
  CHECK(o.weight_decay == 0);
  CHECK(o.momentum_decay == 4e-3);
}

TEST_CASE("NAdam: gradients of zero change nothing, not even without eps") {
  for (const DType type : {f32, f64}) {
    Parameter p("p", Tensor::full({19}, 0.3, type));
    optim::NAdam optimizer(std::vector{&p}, {.eps = 0});
    for (int step = 0; step < 3; ++step) {
      p.add_grad(Tensor::zeros({19}, type));
      optimizer.step();
    }
    CHECK(test::relative_error(p.value(), Tensor::full({19}, 0.3, type)) == 0);
  }
}

TEST_CASE("NAdam refuses options out of range") {
  Parameter p("p", Tensor::zeros({2}));
  const std::vector<Parameter*> all{&p};
  constexpr double nan = std::numeric_limits<double>::quiet_NaN();
  CHECK_THROWS_WITH_AS(optim::NAdam(all, {.lr = -1}), doctest::Contains("learning rate is -1"), ValueError);
  CHECK_THROWS_WITH_AS(optim::NAdam(all, {.weight_decay = nan}), doctest::Contains("weight_decay is nan"), ValueError);
  CHECK_THROWS_WITH_AS(optim::NAdam(all, {.betas = {0.9, 1}}), doctest::Contains("betas are 0.9 and 1"), ValueError);
  CHECK_THROWS_WITH_AS(optim::NAdam(all, {.eps = -1}), doctest::Contains("eps is -1"), ValueError);
  CHECK_THROWS_WITH_AS(optim::NAdam(all, {.momentum_decay = -1}), doctest::Contains("momentum_decay is -1"), ValueError);
}
