#include "weft/nn/attention/coverage.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>

#include "nn/attention/checks.hpp"
#include "support/random.hpp"
#include "weft/autograd/gradcheck.hpp"
#include "weft/base/error.hpp"
#include "weft/ops/softmax.hpp"

using namespace weft;
using nn::attention::coverage_loss;
using test::Matrix;
using test::product;
using test::Vector;

TEST_CASE("attention with coverage") {
  for (const nn::Normaliser normaliser : test::normalisers) {
    CAPTURE(nn::name_of(normaliser));
    const auto normalise = test::plain_normaliser(normaliser);
    nn::attention::Coverage attention({.query_dim = 3, .key_dim = 3, .hidden = 4, .normaliser = normaliser});
    attention.to(f64);
    const Matrix w = test::matrix_of(attention.query.weight->value()), u = test::matrix_of(attention.key.weight->value()),
                 c = test::matrix_of(attention.coverage.weight->value());
    const Vector v = test::matrix_of(attention.score.weight->value())[0],
                 bias = test::matrix_of(attention.key.bias->value().unsqueeze(0))[0];
    test::check_attention(attention, [&](const Matrix& queries, const Matrix& keys, const std::vector<bool>& open) {
      Matrix all;
      Vector covered(keys.size());
      for (const Vector& query : queries) {
        Vector scores;
        for (std::size_t k = 0; k < keys.size(); ++k) {
          Vector hidden = product(w, query);
          for (std::size_t i = 0; i < hidden.size(); ++i)
            hidden[i] = std::tanh(hidden[i] + product(u[i], keys[k]) + bias[i] + c[i][0] * covered[k]);
          scores.push_back(product(v, hidden));
        }
        all.push_back(normalise(scores, open));
        for (std::size_t k = 0; k < keys.size(); ++k) covered[k] += all.back()[k];
      }
      return all;
    });
    test::check_history_gradients(attention);
    test::check_refusals(attention, "attention::Coverage");
  }
}

TEST_CASE("the coverage loss is what attends twice") {
  const Tensor weights = softmax(test::uniform({2, 4, 3}, -2, 2, 1), -1).value();
  const Tensor lengths = Tensor::from<std::int64_t>({4, 2}, {2});
  const Tensor each = coverage_loss(weights, lengths, LossReduction::none).value();
  double total = 0;
  for (std::int64_t b = 0; b < 2; ++b) {
    double covered[3] = {};
    for (std::int64_t q = 0; q < 4; ++q) {
      double expected = 0;
      for (std::int64_t k = 0; k < 3; ++k) {
        expected += std::min(covered[k], weights.at({b, q, k}));
        covered[k] += weights.at({b, q, k});
      }
      if (b == 1 && q >= 2) expected = 0;
      CHECK(std::abs(each.at({b, q}) - expected) < 1e-10);
      total += expected;
    }
  }
  CHECK(coverage_loss(weights, lengths, LossReduction::sum).value().item() == doctest::Approx(total).epsilon(1e-12));
  CHECK(coverage_loss(weights, lengths).value().item() == doctest::Approx(total / 6).epsilon(1e-12));
  CHECK(coverage_loss(weights.slice(1, 0, 1)).value().item() == 0);
  CHECK(coverage_loss(Tensor::zeros({2, 0, 3}, f64)).value().item() == 0);
  CHECK(coverage_loss(weights, Tensor::zeros({2}, i64)).value().item() == 0);
  const auto loss = [&](const std::vector<Var>& in) { return coverage_loss(softmax(in[0], -1), lengths); };
  gradcheck(loss, {test::uniform({2, 4, 3}, -2, 2, 1)}).require();
  gradgradcheck(loss, {test::uniform({2, 4, 3}, -2, 2, 1)}).require();
}

TEST_CASE("what is no coverage loss is refused") {
  const Tensor weights = Tensor::ones({2, 4, 3});
  CHECK_THROWS_WITH_AS(coverage_loss(Var()), "[coverage_loss] the weights are undefined", ValueError);
  CHECK_THROWS_WITH_AS(coverage_loss(weights.select(0, 0)), doctest::Contains("[4, 3]"), ShapeError);
  CHECK_THROWS_AS(coverage_loss(weights.to(i64)), DTypeError);
  CHECK_THROWS_WITH_AS(coverage_loss(weights, Tensor::ones({3}, i64)), doctest::Contains("[3] don't fit weights [2, 4, 3]"),
                       ShapeError);
  CHECK_THROWS_AS(coverage_loss(weights, Tensor::full({2}, 5, i64)), ValueError);
}

TEST_CASE("a state that local-m has left is none of coverage's") {
  nn::attention::Coverage attention({.query_dim = 3, .key_dim = 3, .hidden = 4});
  const nn::AttentionMemory memory = attention.remember(Tensor::ones({2, 5, 3}), Tensor::ones({2, 5, 3}));
  CHECK_THROWS_WITH_AS(attention(Tensor::ones({2, 1, 3}), memory, nn::AttentionState{{}, Tensor::zeros({2}, i64)}),
                       "[attention::Coverage] the state for query f32[2, 1, 3] has a position i64[2], which another kind of "
                       "attention has left",
                       ValueError);
  CHECK_THROWS_WITH_AS(attention(Tensor::ones({2, 1, 3}), memory, nn::AttentionState{Tensor::zeros({2, 5}, f64), {}}),
                       "[attention::Coverage] the state's history f64[2, 5] and query f32[2, 1, 3] differ in dtype",
                       DTypeError);
  // Another module's memory, whose queries and keys have other sizes.
  nn::attention::Coverage other({.query_dim = 3, .key_dim = 3, .hidden = 6});
  const nn::AttentionMemory foreign = other.remember(Tensor::ones({2, 5, 3}), Tensor::ones({2, 5, 3}));
  CHECK_THROWS_WITH_AS(attention(Tensor::ones({2, 1, 3}), foreign),
                       "[attention::Coverage] keys f32[2, 5, 6] and values f32[2, 5, 3] are no memory of this module, [batch, "
                       "places, 4] and [batch, places, size]; `remember` makes one",
                       ShapeError);
}
