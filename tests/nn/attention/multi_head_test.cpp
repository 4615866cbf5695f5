#include "weft/nn/attention/multi_head.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include "nn/attention/checks.hpp"
#include "support/random.hpp"
#include "weft/autograd/gradcheck.hpp"
#include "weft/base/error.hpp"
#include "weft/ops/elementwise.hpp"
#include "weft/ops/reduce.hpp"

using namespace weft;
using nn::AttentionMemory;
using nn::AttentionOutput;
using nn::attention::MultiHead;
using test::largest;
using test::largest_difference;
using test::Matrix;
using test::product;
using test::uniform;
using test::Vector;

namespace {

constexpr std::int64_t batch = 3, queries = 2, places = 4, size = 4, key_size = 3, value_size = 2, heads = 2;

struct Data {
  Tensor query = uniform({batch, queries, size}, -1, 1, 1), keys = uniform({batch, places, key_size}, -1, 1, 2),
         values = uniform({batch, places, value_size}, -1, 1, 3);
  Tensor mask =
      Tensor::from<bool>({true, true, true, true, true, true, false, false, false, false, false, false}, {batch, places});
};

const nn::attention::MultiHeadOptions options{.query_dim = size, .key_dim = key_size, .value_dim = value_size, .heads = heads};

// The formula as loops, from the projections' weights: contexts [size] and mean weights of one query.
struct Plain {
  Plain(MultiHead& model, test::PlainNormaliser normaliser) : normalise(std::move(normaliser)) {
    for (const auto& [name, tensor] : model.state_dict()) {
      if (name == "attention.q_proj_weight") q = test::matrix_of(tensor);
      if (name == "attention.k_proj_weight") k = test::matrix_of(tensor);
      if (name == "attention.v_proj_weight") v = test::matrix_of(tensor);
      if (name == "attention.out_proj.weight") out = test::matrix_of(tensor);
    }
  }
  std::pair<Vector, Vector> operator()(const Vector& query, const Matrix& keys, const Matrix& values) const {
    const Vector projected = product(q, query);
    const std::size_t n = size / heads;
    Vector joined(size), weights(keys.size());
    for (std::size_t head = 0; head < heads; ++head) {
      Vector scores;
      for (const Vector& key : keys) {
        const Vector one = product(k, key);
        double sum = 0;
        for (std::size_t i = head * n; i < (head + 1) * n; ++i)
          sum += projected[i] * one[i] / std::sqrt(static_cast<double>(n));
        scores.push_back(sum);
      }
      const Vector chances = normalise(scores, std::vector<bool>(keys.size(), true));
      for (std::size_t place = 0; place < keys.size(); ++place) {
        weights[place] += chances[place] / heads;
        const Vector value = product(v, values[place]);
        for (std::size_t i = head * n; i < (head + 1) * n; ++i) joined[i] += chances[place] * value[i];
      }
    }
    return {product(out, joined), weights};
  }
  Matrix q, k, v, out;
  test::PlainNormaliser normalise;
};

}  // namespace

TEST_CASE("attention in heads does what every kind does") {
  for (const nn::Normaliser normaliser : test::normalisers) {
    CAPTURE(nn::name_of(normaliser));
    MultiHead attention({.query_dim = 3, .key_dim = 3, .value_dim = 2, .heads = 3, .normaliser = normaliser});
    test::check_attention(attention);
  }
}

TEST_CASE("attention in heads as loops make it, of padded rows as of rows alone") {
  for (const nn::Normaliser normaliser : test::normalisers) {
    CAPTURE(nn::name_of(normaliser));
    const auto normalise = test::plain_normaliser(normaliser);
    nn::attention::MultiHeadOptions chosen = options;
    chosen.normaliser = normaliser;
    MultiHead attention(chosen);
    attention.to(f64);
    const Data d;
    const AttentionOutput out = attention(d.query, d.keys, d.values, d.mask);
    CHECK(out.context.shape() == Shape{batch, queries, size});
    const Plain plain(attention, normalise);
    for (std::int64_t b = 0; b < 2; ++b) {
      const std::int64_t open = b == 0 ? 4 : 2;
      const Matrix keys = test::matrix_of(d.keys.select(0, b).slice(0, 0, open)),
                   values = test::matrix_of(d.values.select(0, b).slice(0, 0, open));
      for (std::int64_t t = 0; t < queries; ++t) {
        const auto [context, weights] = plain(test::matrix_of(d.query.select(0, b))[static_cast<std::size_t>(t)], keys, values);
        for (std::int64_t i = 0; i < size; ++i)
          CHECK(std::abs(out.context.value().at({b, t, i}) - context[static_cast<std::size_t>(i)]) < 1e-12);
        for (std::int64_t place = 0; place < places; ++place)
          CHECK(std::abs(out.weights.value().at({b, t, place}) -
                         (place < open ? weights[static_cast<std::size_t>(place)] : 0)) < 1e-12);
      }
    }
    CHECK(largest(out.context.value().select(0, 2)) == 0);  // a row without places
    CHECK(largest(out.weights.value().select(0, 2)) == 0);
  }
}

TEST_CASE("heads see nothing of masked places, take beams and queries one by one") {
  MultiHead attention(options);
  attention.to(f64);
  const Data d;
  Tensor keys = d.keys.clone(), values = d.values.clone();
  for (const std::int64_t place : {2, 3}) {
    keys.select(0, 1).select(0, place).fill(std::numeric_limits<double>::quiet_NaN());
    values.select(0, 1).select(0, place).fill(std::numeric_limits<double>::infinity());
  }
  const AttentionOutput whole = attention(d.query, d.keys, d.values, d.mask);
  CHECK(largest_difference(attention(d.query, keys, values, d.mask).context.value(), whole.context.value()) == 0);

  const AttentionMemory memory = attention.remember(d.keys, d.values, d.mask);
  for (std::int64_t t = 0; t < queries; ++t)
    CHECK(largest_difference(attention(d.query.slice(1, t, t + 1), memory).context.value(),
                             whole.context.value().slice(1, t, t + 1)) <= 1e-14);
  const Tensor beams = uniform({2 * batch, 1, size}, -1, 1, 4);
  const AttentionOutput both = attention(beams, memory);
  const Tensor twice = Tensor::from<std::int64_t>({0, 0, 1, 1, 2, 2}, {2 * batch});
  const AttentionOutput apart = attention(beams, memory.select(twice));
  CHECK(largest_difference(both.context.value(), apart.context.value()) <= 1e-14);
  CHECK(largest_difference(both.weights.value(), apart.weights.value()) <= 1e-14);
}

TEST_CASE("gradients of heads, to second order") {
  MultiHead attention(options);
  attention.to(f64);
  const Data d;
  const auto loss = [&](const std::vector<Var>& in) {
    const AttentionOutput out = attention(in[0], in[1], in[2], d.mask);
    return sum(square(out.context)) + sum(square(out.weights));
  };
  gradcheck(loss, {d.query, d.keys, d.values}).require();
  gradgradcheck(loss, {d.query, d.keys, d.values}, {.rtol = 1e-4, .elements = 20}).require();
  const auto of_weights = [&] { return loss({d.query, d.keys, d.values}); };
  gradcheck_parameters(of_weights, attention.parameters()).require();
  gradgradcheck_parameters(of_weights, attention.parameters(), {.rtol = 1e-4, .elements = 20}).require();
}

TEST_CASE("what heads refuse") {
  MultiHead attention({.query_dim = test::attention_size, .heads = 3});
  test::check_refusals(attention, "attention::MultiHead", "f64[3, 3, 4, 1]");  // projected, in heads
  const Tensor x = Tensor::zeros({3, 4, 3}, f64);
  CHECK_THROWS_WITH_AS(attention(x, x, Tensor::zeros({3, 4, 2}, f64)),
                       "[attention::MultiHead] values f64[3, 4, 2] for keys f64[3, 4, 3] are not [batch, places, 3]",
                       ShapeError);
  CHECK_THROWS_WITH_AS(MultiHead({.query_dim = 6, .heads = 4}),
                       "[attention::MultiHead] query_dim is 6 and heads 4; the heads must divide it evenly", ValueError);
  CHECK_THROWS_WITH_AS(MultiHead({.heads = 4}), "[attention::MultiHead] query_dim is 0; it must be positive", ValueError);
  CHECK_THROWS_WITH_AS(MultiHead({.query_dim = 4, .heads = 0}), "[attention::MultiHead] heads is 0; it must be positive",
                       ValueError);
  CHECK_THROWS_WITH_AS(MultiHead({.query_dim = 4, .key_dim = -1, .heads = 2}),
                       "[attention::MultiHead] key_dim is -1; it must be positive", ValueError);
}
