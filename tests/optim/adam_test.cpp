#include "weft/optim/adam.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <memory>

#include "optim/golden_steps.hpp"
#include "optim/trajectory.hpp"
#include "support/measured_shapes.hpp"
#include "support/random.hpp"
#include "weft/base/error.hpp"

using namespace weft;
using test::GoldenParameters;

TEST_CASE("Adam takes PyTorch's steps") {
  test::check_golden_steps("adam", [](GoldenParameters& p) {
    return std::make_unique<optim::Adam>(p.all, optim::AdamOptions{.betas = {0.9, 0.98}, .eps = 1e-6});
  });
}

TEST_CASE("Adam with weight decay takes PyTorch's steps") {
  test::check_golden_steps("adam_l2", [](GoldenParameters& p) {
    return std::make_unique<optim::Adam>(p.all, optim::AdamOptions{.betas = {0.9, 0.98}, .eps = 1e-6, .weight_decay = 0.1});
  });
}

TEST_CASE("AdamW with two groups takes PyTorch's steps") {
  test::check_golden_steps("adamw", [](GoldenParameters& p) {
    return std::make_unique<optim::AdamW>(
        std::vector<optim::Group>{{.parameters = {&p.weight}}, {.parameters = {&p.bias}, .lr_factor = 2, .weight_decay = 0}},
        optim::AdamWOptions{.betas = {0.9, 0.98}, .eps = 1e-6, .weight_decay = 0.1});
  });
}

TEST_CASE("AMSGrad takes PyTorch's steps, in Adam and in AdamW") {
  test::check_golden_steps("adam_amsgrad", [](GoldenParameters& p) {
    return std::make_unique<optim::Adam>(
        p.with_bias_group(), optim::AdamOptions{.betas = {0.9, 0.98}, .eps = 1e-6, .weight_decay = 0.1, .amsgrad = true});
  });
  test::check_golden_steps("adamw_amsgrad", [](GoldenParameters& p) {
    return std::make_unique<optim::AdamW>(
        p.with_bias_group(), optim::AdamWOptions{.betas = {0.9, 0.98}, .eps = 1e-6, .weight_decay = 0.1, .amsgrad = true});
  });
}

TEST_CASE("Adam and AdamW end a hundred steps where PyTorch's do") {
  const auto adam = [](const optim::AdamOptions& options) {
    return [options](const std::vector<Parameter*>& p) { return std::make_unique<optim::Adam>(p, options); };
  };
  const auto adamw = [](const optim::AdamWOptions& options) {
    return [options](const std::vector<Parameter*>& p) { return std::make_unique<optim::AdamW>(p, options); };
  };
  test::check_trajectory("adam", adam({.lr = 0.02, .weight_decay = 0.01}));
  test::check_trajectory("adam_amsgrad", adam({.lr = 0.02, .amsgrad = true}));
  test::check_trajectory("adamw", adamw({.lr = 0.02, .weight_decay = 0.1}));
  test::check_trajectory("adamw_amsgrad", adamw({.lr = 0.02, .betas = {0.8, 0.9}, .weight_decay = 0.1, .amsgrad = true}));
}

TEST_CASE("Adam's options have PyTorch's defaults") {
  CHECK(optim::AdamOptions{}.lr == 1e-3);
  CHECK(optim::AdamOptions{}.betas == std::array{0.9, 0.999});
  CHECK(optim::AdamOptions{}.eps == 1e-8);
  CHECK(optim::AdamOptions{}.weight_decay == 0);
  CHECK_FALSE(optim::AdamOptions{}.amsgrad);
  CHECK(optim::AdamWOptions{}.weight_decay == 1e-2);
  CHECK_FALSE(optim::AdamWOptions{}.amsgrad);
}

TEST_CASE("Adam refuses options out of range") {
  Parameter p("p", Tensor::zeros({2}));
  const std::vector<Parameter*> all{&p};
  constexpr double nan = std::numeric_limits<double>::quiet_NaN();
  CHECK_THROWS_AS(optim::Adam(all, {.lr = -1}), ValueError);
  CHECK_THROWS_AS(optim::Adam(all, {.lr = nan}), ValueError);
  CHECK_THROWS_AS(optim::Adam(all, {.betas = {1, 0.9}}), ValueError);
  CHECK_THROWS_AS(optim::Adam(all, {.betas = {0.9, nan}}), ValueError);
  CHECK_THROWS_AS(optim::Adam(all, {.eps = -1}), ValueError);
  CHECK_THROWS_AS(optim::AdamW(all, {.weight_decay = -1}), ValueError);
}

TEST_CASE("Adam lets a NaN gradient through to the element that it belongs to") {
  Tensor grad = Tensor::ones({40});
  grad.mutable_data<float>()[21] = std::numeric_limits<float>::quiet_NaN();
  for (const bool amsgrad : {false, true}) {
    Parameter p("p", Tensor::zeros({40}));
    optim::Adam adam(std::vector{&p}, {.amsgrad = amsgrad});
    for (int step = 0; step < 2; ++step) {
      p.add_grad(step == 0 ? grad : Tensor::ones({40}));
      adam.step();
      for (std::int64_t i = 0; i < 40; ++i) CHECK(std::isnan(p.value().at({i})) == (i == 21));
    }
  }
}

TEST_CASE("gradients of zero change nothing, not even without eps") {
  for (const DType type : {f32, f64})
    for (const double eps : {1e-8, 0.0}) {
      Parameter p("p", Tensor::full({19}, 0.3, type));
      optim::Adam adam(std::vector{&p}, {.eps = eps});
      for (int step = 0; step < 3; ++step) {
        p.add_grad(Tensor::zeros({19}, type));
        adam.step();
      }
      CHECK(test::relative_error(p.value(), Tensor::full({19}, 0.3, type)) == 0);
    }
}

TEST_CASE("the bias correction is exact to 1e-12 from the first step to the ten millionth") {
  for (const auto& betas : {std::array{0.9, 0.999}, std::array{0.9, 0.98}, std::array{0.95, 0.9999}})
    for (const std::int64_t step : {1, 2, 3, 10, 1000, 100000, 10000000}) {
      Parameter p("p", Tensor::zeros({1}, f64));
      optim::Adam adam(std::vector{&p}, {.lr = 0.25, .betas = betas, .eps = 1e-8});
      auto state = adam.state_dict();
      for (auto& [name, tensor] : state) tensor = tensor.clone();
      for (auto& [name, tensor] : state) {
        if (name == "p.step") tensor.fill(static_cast<double>(step - 1));
        if (name == "p.exp_avg") tensor.fill(0.5);
        if (name == "p.exp_avg_sq") tensor.fill(2);
      }
      adam.load_state_dict(state);
      p.add_grad(Tensor::full({1}, 0.125, f64));
      adam.step();
      const long double b1 = betas[0], b2 = betas[1], t = static_cast<long double>(step);
      const long double m = b1 * 0.5L + (1 - b1) * 0.125L, v = b2 * 2 + (1 - b2) * 0.125L * 0.125L;
      const long double expected = -0.25L * (m / (1 - std::pow(b1, t))) / (std::sqrt(v / (1 - std::pow(b2, t))) + 1e-8L);
      CAPTURE(step);
      CHECK(std::abs(static_cast<long double>(p.value().item()) / expected - 1) < 1e-12L);
    }
}

TEST_CASE("the running mean of squares is never negative, and Adam never steps far") {
  for (const double size : {1e-30, 1e-10, 1.0, 1e15}) {
    Parameter p("p", Tensor::zeros({16}));
    optim::Adam adam(std::vector{&p}, {.lr = 0.5});
    for (int step = 0; step < 20; ++step) {
      p.add_grad(Tensor::full({16}, step % 3 == 0 ? -size : size));
      adam.step();
      for (const auto& [name, tensor] : adam.state_dict())
        if (name == "p.exp_avg_sq") CHECK(tensor.at({15}) >= 0);
      CHECK(std::abs(p.value().at({15})) <= 0.5 * (step + 1) * 1.001);
    }
  }
}

TEST_CASE("Adam is right at the measured shapes") {
  for (const auto& [elements] : measured::adam) {
    INFO(elements);
    const std::int64_t some = std::min<std::int64_t>(elements, 100);
    const Tensor start = test::uniform({elements}, -1, 1, 1, f32), gradient = test::uniform({elements}, -1, 1, 2, f32);
    const auto stepped = [](Tensor value, const Tensor& dw) {
      Parameter w("w", std::move(value));
      Parameter* const all[] = {&w};
      optim::Adam adam(all, {.lr = 0.01});
      for (int step = 0; step < 3; ++step) {
        w.mutable_grad() = dw;
        adam.step();
      }
      return w.value();
    };
    const Tensor all = stepped(start.clone(), gradient);
    for (const std::int64_t first : {std::int64_t{0}, elements - some}) {  // an element's steps depend on it alone
      const auto part = [&](const Tensor& x) { return x.slice(0, first, first + some).to(f64); };
      CHECK(test::largest_difference(part(all), stepped(part(start), part(gradient))) < 1e-6);
    }
  }
}
