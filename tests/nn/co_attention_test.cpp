#include "weft/nn/co_attention.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include "nn/attention_reference.hpp"
#include "support/lengths.hpp"
#include "support/random.hpp"
#include "weft/autograd/gradcheck.hpp"
#include "weft/autograd/tape.hpp"
#include "weft/base/error.hpp"
#include "weft/ops/elementwise.hpp"
#include "weft/ops/reduce.hpp"

using namespace weft;
using test::largest_difference;
using test::uniform;

namespace {

const Tensor v_lengths = Tensor::from<std::int64_t>({5, 2, 3}, {3}), q_lengths = Tensor::from<std::int64_t>({1, 4, 2}, {3});

nn::CoAttentionOptions options() { return {.first_dim = 4, .second_dim = 3, .hidden = 6}; }

Var total(const nn::CoAttentionOutput& o) {
  return sum(square(o.first)) + sum(square(o.second)) + sum(square(o.first_weights)) + sum(square(o.second_weights));
}

// softmax over scores[i] = w . tanh(own[i] + sum_j affinity(i, j) other[j]) and the mean of x by it.
template <class Affinity>
std::pair<std::vector<double>, std::vector<double>> plain(const Tensor& x, const Tensor& own, const Tensor& other,
                                                          const Tensor& w, const Affinity& affinity) {
  const std::int64_t n = own.size(1), m = other.size(1);
  std::vector<double> weights, mean(static_cast<std::size_t>(x.size(2)), 0.0);
  double sum = 0;
  for (std::int64_t i = 0; i < n; ++i) {
    double score = 0;
    for (std::int64_t k = 0; k < own.size(2); ++k) {
      double h = own.at({0, i, k});
      for (std::int64_t j = 0; j < m; ++j) h += affinity(i, j) * other.at({0, j, k});
      score += w.at({0, k}) * std::tanh(h);
    }
    weights.push_back(std::exp(score));
    sum += weights.back();
  }
  for (std::int64_t i = 0; i < n; ++i) {
    weights[static_cast<std::size_t>(i)] /= sum;
    for (std::int64_t d = 0; d < x.size(2); ++d)
      mean[static_cast<std::size_t>(d)] += weights[static_cast<std::size_t>(i)] * x.at({0, i, d});
  }
  return {weights, mean};
}

}  // namespace

TEST_CASE("co-attention is the formula by plain loops, padded rows too") {
  nn::CoAttention attention(options(), {.seed = 1});
  attention.to(f64);
  const Tensor v = uniform({3, 5, 4}, -2, 2, 1), q = uniform({3, 4, 3}, -2, 2, 2);
  const auto got = attention(Var(v), Var(q), v_lengths, q_lengths);
  for (std::int64_t b = 0; b < 3; ++b) {
    const std::int64_t n = v_lengths.data<std::int64_t>()[b], m = q_lengths.data<std::int64_t>()[b];
    const Tensor x = v.slice(0, b, b + 1).slice(1, 0, n), y = q.slice(0, b, b + 1).slice(1, 0, m);
    const Tensor turned = test::plain_linear(x, attention.affinity.weight->value());
    const auto affinity = [&](std::int64_t i, std::int64_t j) {
      double dot = 0;
      for (std::int64_t d = 0; d < 3; ++d) dot += y.at({0, j, d}) * turned.at({0, i, d});
      return std::tanh(dot);
    };
    const Tensor of_v = test::plain_linear(x, attention.first.weight->value()),
                 of_q = test::plain_linear(y, attention.second.weight->value());
    const auto a = plain(x, of_v, of_q, attention.first_score.weight->value(), affinity);
    const auto c = plain(y, of_q, of_v, attention.second_score.weight->value(),
                         [&](std::int64_t i, std::int64_t j) { return affinity(j, i); });
    const auto check = [&](const Tensor& row, const std::vector<double>& expected) {
      for (std::int64_t i = 0; i < row.numel(); ++i) {
        const bool there = i < static_cast<std::int64_t>(expected.size());
        CHECK(std::abs(row.at({i}) - (there ? expected[static_cast<std::size_t>(i)] : 0)) <= 1e-13);
      }
    };
    check(got.first_weights.value().select(0, b), a.first);
    check(got.second_weights.value().select(0, b), c.first);
    check(got.first.value().select(0, b), a.second);
    check(got.second.value().select(0, b), c.second);
    const auto alone = attention(Var(x), Var(y));
    CHECK(largest_difference(alone.first.value().select(0, 0), got.first.value().select(0, b)) <= 1e-14);
    CHECK(largest_difference(alone.second.value().select(0, 0), got.second.value().select(0, b)) <= 1e-14);
  }
}

TEST_CASE("gradients of co-attention to second order") {
  nn::CoAttention attention(options());
  attention.to(f64);
  const Tensor v = uniform({3, 5, 4}, -1, 1, 1), q = uniform({3, 4, 3}, -1, 1, 2);
  const auto loss = [&] { return total(attention(Var(v), Var(q), v_lengths, q_lengths)); };
  gradcheck_parameters(loss, attention.parameters()).require();
  gradgradcheck_parameters(loss, attention.parameters(), {.rtol = 1e-4, .directions = 3}).require();
  attention.zero_grad();
  gradgradcheck([&](const std::vector<Var>& in) { return total(attention(in[0], in[1], v_lengths, q_lengths)); }, {v, q})
      .require();
}

TEST_CASE("padding reaches nothing through co-attention, and a row without places gives zeros") {
  nn::CoAttention attention(options());
  attention.to(f64);
  const Tensor v = uniform({3, 5, 4}, -1, 1, 1), q = uniform({3, 4, 3}, -1, 1, 2);
  const auto run = [&](const Tensor& first, const Tensor& second) {
    Tape tape;
    const Var x = tape.leaf(first), y = tape.leaf(second);
    const Var loss = total(attention(x, y, v_lengths, q_lengths));
    tape.backward(loss);
    std::vector<Tensor> result = {loss.value().clone(), tape.grad(x).clone(), tape.grad(y).clone()};
    for (Parameter* parameter : attention.parameters()) result.push_back(parameter->grad().clone());
    attention.zero_grad();
    return result;
  };
  const auto clean = run(v, q), dirty = run(test::with_nan_behind(v, v_lengths), test::with_nan_behind(q, q_lengths));
  for (std::size_t i = 0; i < clean.size(); ++i) CHECK(largest_difference(clean[i], dirty[i]) == 0);
  const auto closed = attention(Var(v), Var(q), Tensor::from<std::int64_t>({0, 5, 5}, {3}));
  CHECK(test::largest(closed.first.value().select(0, 0)) == 0);
  CHECK(test::largest(closed.first_weights.value().select(0, 0)) == 0);
}

TEST_CASE("co-attention that can't be is refused") {
  CHECK_THROWS_WITH_AS(nn::CoAttention({.first_dim = 4, .second_dim = 3}), doctest::Contains("hidden 0"), ValueError);
  CHECK_THROWS_AS(nn::CoAttention({.first_dim = 0, .second_dim = 3, .hidden = 2}), ValueError);
  nn::CoAttention attention(options());
  attention.to(f64);
  const Var v = uniform({3, 5, 4}, -1, 1, 1), q = uniform({3, 4, 3}, -1, 1, 2);
  CHECK_THROWS_WITH_AS(attention(q, v), doctest::Contains("[CoAttention] first sequence f64[3, 4, 3]"), ShapeError);
  CHECK_THROWS_WITH_AS(attention(v, Var(uniform({2, 4, 3}, -1, 1, 2))),
                       doctest::Contains("f64[3, 5, 4] and f64[2, 4, 3] differ in rows"), ShapeError);
  CHECK_THROWS_AS(attention(v, q, Tensor::from<std::int64_t>({6, 1, 1}, {3})), ValueError);
  CHECK_THROWS_AS(attention(v, q, Tensor(), Tensor::from<std::int64_t>({1, 1}, {2})), ShapeError);
  CHECK_THROWS_AS(attention(v, q, Tensor::ones({3}, boolean)), DTypeError);
  CHECK_THROWS_AS(attention(Var(), q), Error);
}
