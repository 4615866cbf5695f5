#include "weft/optim/adam.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <memory>

#include "optim/golden_steps.hpp"
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

TEST_CASE("Adam's options have PyTorch's defaults") {
  CHECK(optim::AdamOptions{}.lr == 1e-3);
  CHECK(optim::AdamOptions{}.betas == std::array{0.9, 0.999});
  CHECK(optim::AdamOptions{}.eps == 1e-8);
  CHECK(optim::AdamOptions{}.weight_decay == 0);
  CHECK(optim::AdamWOptions{}.weight_decay == 1e-2);
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
  Parameter p("p", Tensor::zeros({40}));
  Tensor grad = Tensor::ones({40});
  grad.mutable_data<float>()[21] = std::numeric_limits<float>::quiet_NaN();
  p.add_grad(grad);
  optim::Adam adam(std::vector{&p}, {});
  adam.step();
  for (std::int64_t i = 0; i < 40; ++i) CHECK(std::isnan(p.value().at({i})) == (i == 21));
}
