#include "weft/optim/adadelta.hpp"

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

TEST_CASE("Adadelta takes PyTorch's steps") {
  test::check_golden_steps("adadelta", [](GoldenParameters& p) {
    return std::make_unique<optim::Adadelta>(p.with_bias_group(),
                                             optim::AdadeltaOptions{.rho = 0.8, .eps = 1e-4, .weight_decay = 0.1});
  });
}

TEST_CASE("Adadelta ends a hundred steps where PyTorch's does") {
  test::check_trajectory("adadelta", [](const std::vector<Parameter*>& p) {
    return std::make_unique<optim::Adadelta>(p, optim::AdadeltaOptions{.lr = 2, .weight_decay = 0.01});
  });
}

TEST_CASE("Adadelta's options have PyTorch's defaults") {
  const optim::AdadeltaOptions o;
  CHECK(o.lr == 1);
  CHECK(o.rho == 0.9);
  CHECK(o.eps == 1e-6);
  CHECK(o.weight_decay == 0);
}

TEST_CASE("Adadelta: gradients of zero change nothing, not even without eps") {
  for (const DType type : {f32, f64}) {
    Parameter p("p", Tensor::full({19}, 0.3, type));
    optim::Adadelta optimizer(std::vector{&p}, {.eps = 0});
    for (int step = 0; step < 3; ++step) {
      p.add_grad(Tensor::zeros({19}, type));
      optimizer.step();
    }
    CHECK(test::relative_error(p.value(), Tensor::full({19}, 0.3, type)) == 0);
  }
}

TEST_CASE("Adadelta refuses options out of range") {
  Parameter p("p", Tensor::zeros({2}));
  const std::vector<Parameter*> all{&p};
  constexpr double nan = std::numeric_limits<double>::quiet_NaN();
  CHECK_THROWS_WITH_AS(optim::Adadelta(all, {.lr = -1}), doctest::Contains("learning rate is -1"), ValueError);
  CHECK_THROWS_WITH_AS(optim::Adadelta(all, {.weight_decay = nan}), doctest::Contains("weight_decay is nan"), ValueError);
  CHECK_THROWS_WITH_AS(optim::Adadelta(all, {.rho = 1}), doctest::Contains("rho is 1"), ValueError);
  CHECK_THROWS_WITH_AS(optim::Adadelta(all, {.eps = -1}), doctest::Contains("eps is -1"), ValueError);
}
