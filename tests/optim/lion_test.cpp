#include "weft/optim/lion.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <memory>
#include <vector>

#include "optim/golden_steps.hpp"
#include "optim/trajectory.hpp"
#include "weft/base/error.hpp"

using namespace weft;

namespace {

// Chen et al. 2023, algorithm 2.
struct PlainLion {
  double lr, beta1, beta2, decay;
  std::vector<double> m = {};

  void operator()(std::vector<double>& value, const std::vector<double>& grad, int) {
    m.resize(value.size());
    for (std::size_t i = 0; i < value.size(); ++i) {
      const double c = beta1 * m[i] + (1 - beta1) * grad[i];
      const double sign = c == 0 ? 0 : std::copysign(1.0, c);
      value[i] -= lr * (sign + decay * value[i]);
      m[i] = beta2 * m[i] + (1 - beta2) * grad[i];
    }
  }
};

}  // namespace

TEST_CASE("Lion ends a hundred steps where the paper's formulas do, groups or not") {
  const PlainLion weight = {.lr = 0.004, .beta1 = 0.9, .beta2 = 0.97, .decay = 0.1};
  PlainLion bias = weight;
  const optim::LionOptions options = {.lr = 0.004, .betas = {0.9, 0.97}, .weight_decay = 0.1};
  test::check_trajectory({weight, bias},
                         [&](const std::vector<Parameter*>& p) { return std::make_unique<optim::Lion>(p, options); });
  bias.lr *= 2;
  bias.decay = 0;
  test::check_trajectory({weight, bias}, [&](const std::vector<Parameter*>& p) {
    return std::make_unique<optim::Lion>(
        std::vector<optim::Group>{{.parameters = {p[0]}}, {.parameters = {p[1]}, .lr_factor = 2, .weight_decay = 0}}, options);
  });
}

TEST_CASE("Lion's defaults are the paper's") {
  CHECK(optim::LionOptions{}.lr == 1e-4);
  CHECK(optim::LionOptions{}.betas == std::array{0.9, 0.99});
  CHECK(optim::LionOptions{}.weight_decay == 0);
}

TEST_CASE("Lion: gradients of zero change nothing") {
  for (const DType type : {f32, f64}) {
    Parameter p("p", Tensor::full({19}, 0.3, type));
    optim::Lion optimizer(std::vector{&p}, {.lr = 0.1});
    for (int step = 0; step < 3; ++step) {
      p.add_grad(Tensor::zeros({19}, type));
      optimizer.step();
    }
    CHECK(test::relative_error(p.value(), Tensor::full({19}, 0.3, type)) == 0);
  }
}

TEST_CASE("Lion goes by the sign alone and lets a NaN through to its element") {
  for (const DType type : {f32, f64}) {
    Parameter p("p", Tensor::zeros({19}, type));
    Tensor grad = Tensor::full({19}, -1e-30, type);
    grad.slice(0, 3, 4).fill(1e30);
    grad.slice(0, 17, 18).fill(std::numeric_limits<double>::quiet_NaN());
    p.add_grad(grad);
    optim::Lion(std::vector{&p}, {.lr = 0.25}).step();
    for (std::int64_t i = 0; i < 19; ++i) {
      CHECK(std::isnan(p.value().at({i})) == (i == 17));
      if (i != 17) CHECK(p.value().at({i}) == (i == 3 ? -0.25 : 0.25));
    }
  }
}

TEST_CASE("Lion refuses options out of range") {
  Parameter p("p", Tensor::zeros({2}));
  const std::vector<Parameter*> all{&p};
  constexpr double nan = std::numeric_limits<double>::quiet_NaN();
  CHECK_THROWS_WITH_AS(optim::Lion(all, {.lr = -1}), doctest::Contains("learning rate is -1"), ValueError);
  CHECK_THROWS_WITH_AS(optim::Lion(all, {.weight_decay = nan}), doctest::Contains("weight_decay is nan"), ValueError);
  CHECK_THROWS_WITH_AS(optim::Lion(all, {.betas = {-0.1, 0.9}}), doctest::Contains("betas are -0.1 and 0.9"), ValueError);
}
