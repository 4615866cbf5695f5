#include "weft/nn/attention/grid.hpp"

#include <doctest/doctest.h>

#include "nn/attention/checks.hpp"
#include "support/random.hpp"
#include "weft/autograd/gradcheck.hpp"
#include "weft/base/error.hpp"
#include "weft/nn/attention/general.hpp"
#include "weft/ops/elementwise.hpp"
#include "weft/ops/reduce.hpp"

using namespace weft;
using nn::attention::on_grid;
using nn::attention::remember_grid;
using test::Matrix;
using test::product;
using test::Vector;

namespace {

constexpr std::int64_t batch = 2, channels = 3, height = 2, width = 4;

Tensor mask() {
  Tensor allowed = Tensor::ones({batch, height, width}, boolean);
  allowed.select(0, 1).slice(1, 2, 4).fill(0);  // the second picture is narrower
  return allowed;
}

}  // namespace

TEST_CASE("attention over the cells of a picture") {
  nn::attention::General attention({.query_dim = 2, .key_dim = channels});
  attention.to(f64);
  const Matrix w = test::matrix_of(attention.query.weight->value());
  const Tensor features = test::uniform({batch, channels, height, width}, -1, 1, 1),
               query = test::uniform({batch, 1, 2}, -1, 1, 2), allowed = mask();
  const nn::AttentionOutput out = attention(query, remember_grid(attention, features, allowed));
  const Tensor weights = on_grid(out.weights, height, width).value();
  CHECK(weights.shape() == Shape{batch, 1, height, width});
  for (std::int64_t b = 0; b < batch; ++b) {
    const Vector asked = product(w, {query.at({b, 0, 0}), query.at({b, 0, 1})});
    Vector scores;
    std::vector<bool> open;
    for (std::int64_t y = 0; y < height; ++y) {
      for (std::int64_t x = 0; x < width; ++x) {
        scores.push_back(0);
        for (std::int64_t c = 0; c < channels; ++c)
          scores.back() += asked[static_cast<std::size_t>(c)] * features.at({b, c, y, x});
        open.push_back(allowed.at({b, y, x}) != 0);
      }
    }
    const Vector expected = test::plain_softmax(scores, open);
    Vector context(channels);
    for (std::int64_t y = 0; y < height; ++y) {
      for (std::int64_t x = 0; x < width; ++x) {
        const double weight = expected[static_cast<std::size_t>(y * width + x)];
        CHECK(std::abs(weights.at({b, 0, y, x}) - weight) < 1e-10);
        for (std::int64_t c = 0; c < channels; ++c) context[static_cast<std::size_t>(c)] += weight * features.at({b, c, y, x});
      }
    }
    for (std::int64_t c = 0; c < channels; ++c)
      CHECK(std::abs(out.context.value().at({b, 0, c}) - context[static_cast<std::size_t>(c)]) < 1e-10);
  }
  const Tensor narrow = features.slice(0, 1, 2).slice(3, 0, 2);
  const nn::AttentionOutput alone = attention(query.slice(0, 1, 2), remember_grid(attention, narrow));
  CHECK(test::largest_difference(out.context.value().slice(0, 1, 2), alone.context.value()) <= 1e-12);
  CHECK(test::largest(attention(query, remember_grid(attention, features, Tensor::zeros({batch, height, width}, boolean)))
                          .context.value()) == 0);

  const auto f = [&](const std::vector<Var>& in) {
    const nn::AttentionOutput seen = attention(in[0], remember_grid(attention, in[1], allowed));
    return sum(square(seen.context)) + sum(square(on_grid(seen.weights, height, width)));
  };
  gradcheck(f, {query, features}).require();
  gradgradcheck(f, {query, features}).require();
}

TEST_CASE("what is no picture is refused") {
  nn::attention::General attention({.query_dim = 2, .key_dim = channels});
  const Tensor features = Tensor::ones({batch, channels, height, width});
  CHECK_THROWS_WITH_AS(remember_grid(attention, Var()), "[remember_grid] the features are undefined", ValueError);
  CHECK_THROWS_WITH_AS(remember_grid(attention, features.select(0, 0)),
                       "[remember_grid] features f32[3, 2, 4] are not [batch, channels, height, width]", ShapeError);
  CHECK_THROWS_WITH_AS(
      remember_grid(attention, features, Tensor::ones({batch, 4, 2}, boolean)),
      "[remember_grid] mask bool[2, 4, 2] doesn't fit features f32[2, 3, 2, 4]: [batch, height, width] is needed", ShapeError);
  CHECK_THROWS_AS(remember_grid(attention, features, Tensor::ones({batch, height, width})), DTypeError);
  CHECK_THROWS_WITH_AS(remember_grid(attention, Tensor::ones({batch, 4, height, width})), doctest::Contains("[2, 8, 4]"),
                       ShapeError);
  CHECK_THROWS_WITH_AS(on_grid(Tensor::ones({2, 1, 8}), 3, 4), "[on_grid] weights f32[2, 1, 8] are not [rows, queries, 3 * 4]",
                       ShapeError);
  CHECK_THROWS_AS(on_grid(Tensor::ones({2, 1, 8}), -2, -4), ShapeError);
  constexpr std::int64_t vast = std::int64_t{1} << 32;
  CHECK_THROWS_AS(on_grid(Tensor::ones({2, 1, 0}), vast, vast), ShapeError);
  CHECK_THROWS_AS(on_grid(Tensor::ones({2, 1, 8}), 3, 2), ShapeError);
  CHECK(on_grid(Tensor::ones({2, 1, 0}), 0, vast).shape() == Shape{2, 1, 0, vast});
  CHECK_THROWS_AS(on_grid(Var(), 3, 4), ValueError);
}
