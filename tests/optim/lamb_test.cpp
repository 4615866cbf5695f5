#include "weft/optim/lamb.hpp"

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

double norm_of(const std::vector<double>& x) {
  double sum = 0;
  for (const double element : x) sum += element * element;
  return std::sqrt(sum);
}

// You et al. 2020, algorithm 2, with phi(z) = z.
struct PlainLamb {
  double lr, beta1, beta2, eps, decay;
  std::vector<double> m = {}, v = {};

  void operator()(std::vector<double>& value, const std::vector<double>& grad, int step) {
    m.resize(value.size());
    v.resize(value.size());
    std::vector<double> u(value.size());
    for (std::size_t i = 0; i < value.size(); ++i) {
      m[i] = beta1 * m[i] + (1 - beta1) * grad[i];
      v[i] = beta2 * v[i] + (1 - beta2) * grad[i] * grad[i];
      const double r = m[i] / (1 - std::pow(beta1, step)) / (std::sqrt(v[i] / (1 - std::pow(beta2, step))) + eps);
      u[i] = r + decay * value[i];
    }
    const double ratio = norm_of(value) / norm_of(u);
    for (std::size_t i = 0; i < value.size(); ++i) value[i] -= lr * ratio * u[i];
  }
};

}  // namespace

TEST_CASE("LAMB ends a hundred steps where the paper's formulas do, groups or not") {
  const PlainLamb weight = {.lr = 0.02, .beta1 = 0.9, .beta2 = 0.98, .eps = 1e-5, .decay = 0.1};
  PlainLamb bias = weight;
  const optim::LAMBOptions options = {.lr = 0.02, .betas = {0.9, 0.98}, .eps = 1e-5, .weight_decay = 0.1};
  test::check_trajectory({weight, bias},
                         [&](const std::vector<Parameter*>& p) { return std::make_unique<optim::LAMB>(p, options); });
  bias.lr /= 2;
  bias.decay = 0;
  test::check_trajectory({weight, bias}, [&](const std::vector<Parameter*>& p) {
    return std::make_unique<optim::LAMB>(
        std::vector<optim::Group>{{.parameters = {p[0]}}, {.parameters = {p[1]}, .lr_factor = 0.5, .weight_decay = 0}},
        options);
  });
}

TEST_CASE("LAMB's defaults are the paper's") {
  CHECK(optim::LAMBOptions{}.lr == 1e-3);
  CHECK(optim::LAMBOptions{}.betas == std::array{0.9, 0.999});
  CHECK(optim::LAMBOptions{}.eps == 1e-6);
  CHECK(optim::LAMBOptions{}.weight_decay == 0.01);
}

TEST_CASE("a LAMB step is lr times the norm, and lr times the direction where the value is 0") {
  Parameter p("p", Tensor::full({16}, 2, f64)), zero("zero", Tensor::zeros({16}, f64));
  p.add_grad(Tensor::full({16}, 1e-3, f64));
  zero.add_grad(Tensor::full({16}, -1e-3, f64));
  optim::LAMB(std::vector{&p, &zero}, {.lr = 0.25, .eps = 0, .weight_decay = 0}).step();
  CHECK(p.value().at({7}) == doctest::Approx(1.5).epsilon(1e-12));
  CHECK(zero.value().at({7}) == doctest::Approx(0.25).epsilon(1e-12));
}

TEST_CASE("LAMB leaves a gradient that someone else holds as it is") {
  Parameter p("p", Tensor::full({16}, 2));
  const Tensor held = Tensor::ones({16});
  p.mutable_grad() = held;
  optim::LAMB(std::vector{&p}).step();
  CHECK(test::relative_error(held, Tensor::ones({16})) == 0);
  CHECK(p.value().at({0}) < 2);
}

TEST_CASE("LAMB: gradients of zero change nothing, not even without eps") {
  for (const DType type : {f32, f64}) {
    Parameter p("p", Tensor::full({19}, 0.3, type));
    optim::LAMB optimizer(std::vector{&p}, {.eps = 0, .weight_decay = 0});
    for (int step = 0; step < 3; ++step) {
      p.add_grad(Tensor::zeros({19}, type));
      optimizer.step();
    }
    CHECK(test::relative_error(p.value(), Tensor::full({19}, 0.3, type)) == 0);
  }
}

TEST_CASE("LAMB refuses options out of range") {
  Parameter p("p", Tensor::zeros({2}));
  const std::vector<Parameter*> all{&p};
  constexpr double nan = std::numeric_limits<double>::quiet_NaN();
  CHECK_THROWS_WITH_AS(optim::LAMB(all, {.lr = -1}), doctest::Contains("learning rate is -1"), ValueError);
  CHECK_THROWS_WITH_AS(optim::LAMB(all, {.weight_decay = nan}), doctest::Contains("weight_decay is nan"), ValueError);
  CHECK_THROWS_WITH_AS(optim::LAMB(all, {.betas = {0.9, 1}}), doctest::Contains("betas are 0.9 and 1"), ValueError);
  CHECK_THROWS_WITH_AS(optim::LAMB(all, {.eps = -1}), doctest::Contains("eps is -1"), ValueError);
}
