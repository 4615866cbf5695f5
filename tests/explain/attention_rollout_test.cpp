#include "weft/explain/attention_rollout.hpp"

#include <doctest/doctest.h>

#include "golden/golden.hpp"
#include "weft/autograd/gradcheck.hpp"
#include "weft/base/error.hpp"
#include "weft/base/random.hpp"
#include "weft/ops/softmax.hpp"

using namespace weft;

namespace {

Var random_weights(const Shape& shape, std::uint64_t seed) {
  Generator generator(seed);
  return softmax(Tensor::randn(shape, generator, f64), -1);
}

// The paper's, element by element.
Tensor reference(const std::vector<Var>& layers, double residual) {
  const std::int64_t batch = layers[0].size(0), heads = layers[0].size(1), n = layers[0].size(2);
  Tensor rollout = Tensor::zeros({batch, n, n}, f64);
  auto* r = rollout.mutable_data<double>();
  for (std::int64_t b = 0; b < batch; ++b) {
    std::vector<double> before(static_cast<std::size_t>(n * n));
    for (std::int64_t i = 0; i < n; ++i) before[static_cast<std::size_t>(i * n + i)] = 1;
    for (const Var& layer : layers) {
      std::vector<double> after(before.size());
      for (std::int64_t i = 0; i < n; ++i) {
        double row = 0;
        std::vector<double> mixed(static_cast<std::size_t>(n));
        for (std::int64_t k = 0; k < n; ++k) {
          double mean = 0;
          for (std::int64_t h = 0; h < heads; ++h) mean += layer.value().at({b, h, i, k}) / static_cast<double>(heads);
          row += mixed[static_cast<std::size_t>(k)] = (1 - residual) * mean + (i == k ? residual : 0);
        }
        for (std::int64_t k = 0; k < n; ++k)
          for (std::int64_t j = 0; j < n; ++j)
            after[static_cast<std::size_t>(i * n + j)] +=
                mixed[static_cast<std::size_t>(k)] / row * before[static_cast<std::size_t>(k * n + j)];
      }
      before = after;
    }
    for (std::size_t i = 0; i < before.size(); ++i) r[static_cast<std::size_t>(b * n * n) + i] = before[i];
  }
  return rollout;
}

}  // namespace

TEST_CASE("attention rollout equals the paper's product of layers, and its rows sum to 1") {
  const std::vector<Var> layers = {random_weights({2, 3, 5, 5}, 1), random_weights({2, 3, 5, 5}, 2),
                                   random_weights({2, 3, 5, 5}, 3)};
  for (const double residual : {0.5, 0.0, 0.9}) {
    const Tensor rollout = explain::attention_rollout(layers, {.residual = residual}).value();
    CHECK(test::relative_error(rollout, reference(layers, residual)) < 1e-14);
    for (std::int64_t i = 0; i < 5; ++i) {
      double row = 0;
      for (std::int64_t j = 0; j < 5; ++j) row += rollout.at({1, i, j});
      CHECK(row == doctest::Approx(1).epsilon(1e-12));
    }
  }
}

TEST_CASE("heads that are averaged already, one layer, and a place that sees nothing") {
  const Var averaged = Tensor::from<double>({0.25, 0.75, 0, 0}, {1, 2, 2});
  const Tensor rollout = explain::attention_rollout({averaged}).value();
  CHECK(rollout.at({0, 0, 0}) == 0.625);
  CHECK(rollout.at({0, 0, 1}) == 0.375);
  CHECK(rollout.at({0, 1, 0}) == 0);
  CHECK(rollout.at({0, 1, 1}) == 1);  // only what passes by
  const Tensor nothing = explain::attention_rollout({averaged, averaged}, {.residual = 0}).value();
  CHECK(nothing.at({0, 1, 0}) == 0);
  CHECK(nothing.at({0, 1, 1}) == 0);
}

TEST_CASE("attention rollout has the right gradient") {
  const auto f = [](const std::vector<Var>& in) {
    return explain::attention_rollout({softmax(in[0], -1), softmax(in[1], -1)});
  };
  const std::vector<Tensor> inputs = {random_weights({2, 2, 3, 3}, 4).value(), random_weights({2, 2, 3, 3}, 5).value()};
  gradcheck(f, inputs).require();
  gradgradcheck(f, inputs).require();
}

TEST_CASE("layers that attention rollout can't follow are refused") {
  CHECK_THROWS_AS(explain::attention_rollout({}), ValueError);
  const Var good = random_weights({1, 2, 3, 3}, 1);
  CHECK_THROWS_WITH_AS(explain::attention_rollout({good}, {.residual = 1}),
                       "[attention_rollout] residual 1 is not from 0 to below 1", ValueError);
  CHECK_THROWS_WITH_AS(explain::attention_rollout({random_weights({1, 2, 3, 4}, 1)}),
                       "[attention_rollout] weights f64[1, 2, 3, 4] are not square: rollout is for self-attention", ShapeError);
  CHECK_THROWS_WITH_AS(explain::attention_rollout({good, random_weights({1, 2, 4, 4}, 1)}),
                       "[attention_rollout] a layer's weights f64[1, 2, 4, 4] don't fit the first layer's f64[1, 2, 3, 3]",
                       ShapeError);
  CHECK_THROWS_AS(explain::attention_rollout({random_weights({3, 3}, 1)}), ShapeError);
}
