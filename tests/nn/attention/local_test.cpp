#include "weft/nn/attention/local.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "nn/attention/checks.hpp"
#include "support/random.hpp"
#include "weft/autograd/gradcheck.hpp"
#include "weft/base/error.hpp"
#include "weft/ops/elementwise.hpp"
#include "weft/ops/reduce.hpp"

using namespace weft;
using nn::attention::LocalM;
using nn::attention::LocalP;
using test::Matrix;
using test::product;
using test::Vector;

namespace {

// The number of places up to the last open one.
double end_of(const std::vector<bool>& open) {
  double end = 0;
  for (std::size_t k = 0; k < open.size(); ++k)
    if (open[k]) end = static_cast<double>(k + 1);
  return end;
}

Vector within(const test::PlainNormaliser& normalise, const Vector& query, const Matrix& keys, const Matrix& w,
              const std::vector<bool>& open, double position, double window) {
  Vector scores;
  std::vector<bool> near = open;
  for (std::size_t k = 0; k < keys.size(); ++k) {
    scores.push_back(product(keys[k], product(w, query)));
    near[k] = open[k] && std::abs(static_cast<double>(k) - position) <= window;
  }
  return normalise(scores, near);
}

}  // namespace

TEST_CASE("local-m attention") {
  for (const nn::Normaliser normaliser : test::normalisers) {
    CAPTURE(nn::name_of(normaliser));
    const auto normalise = test::plain_normaliser(normaliser);
    LocalM attention({.query_dim = 3, .key_dim = 3, .window = 1, .normaliser = normaliser});
    attention.to(f64);
    const Matrix w = test::matrix_of(attention.query.weight->value());
    test::check_attention(attention, [&](const Matrix& queries, const Matrix& keys, const std::vector<bool>& open) {
      Matrix all;
      for (const Vector& query : queries) {
        const double position = std::min(static_cast<double>(all.size()), end_of(open) - 1);
        all.push_back(within(normalise, query, keys, w, open, position, 1));
      }
      return all;
    });
    test::check_refusals(attention, "attention::LocalM");
  }
}

TEST_CASE("local attention around given positions") {
  LocalM attention({.query_dim = 3, .key_dim = 3, .window = 2});
  attention.to(f64);
  const Matrix w = test::matrix_of(attention.query.weight->value());
  const Tensor query = test::uniform({4, 2, 3}, -1, 1, 1), keys = test::uniform({2, 7, 3}, -1, 1, 2);
  const Tensor mask =
      Tensor::from<bool>({true, true, true, true, true, true, true, true, true, true, true, false, true, false}, {2, 7});
  const nn::AttentionMemory memory = attention.remember(keys, keys, mask);
  const Tensor positions = Tensor::from<std::int32_t>({0, 6, 3, 3, 5, 1, 4, 0}, {4, 2});
  const Tensor weights = attention.at(positions, query, memory).weights.value();
  for (std::int64_t row = 0; row < 4; ++row) {
    std::vector<bool> open;
    for (std::int64_t k = 0; k < 7; ++k) open.push_back(mask.at({row / 2, k}) != 0);
    for (std::int64_t q = 0; q < 2; ++q) {
      const Vector expected = within(test::plain_softmax, test::matrix_of(query.select(0, row))[static_cast<std::size_t>(q)],
                                     test::matrix_of(keys.select(0, row / 2)), w, open, positions.at({row, q}), 2);
      for (std::int64_t k = 0; k < 7; ++k)
        CHECK(std::abs(weights.at({row, q, k}) - expected[static_cast<std::size_t>(k)]) < 1e-10);
    }
  }
  const auto f = [&](const std::vector<Var>& in) {
    const nn::AttentionOutput out = attention.at(positions, in[0], attention.remember(in[1], in[2], mask));
    return sum(square(out.context)) + sum(square(out.weights));
  };
  const std::vector<Tensor> inputs{query, keys, test::uniform({2, 7, 2}, -1, 1, 3)};
  gradcheck(f, inputs).require();
  gradgradcheck(f, inputs, {.rtol = 1e-4, .elements = 20}).require();
  CHECK_THROWS_WITH_AS(attention.at(Tensor::full({4, 2}, 7, i64), query, memory),
                       "[attention::LocalM] position 7 of row 0, query 0 is none of the places 0 to 6 (the memory's values "
                       "f64[2, 7, 3])",
                       ValueError);
  CHECK_THROWS_AS(attention.at(Tensor::full({4, 2}, -1, i64), query, memory), ValueError);
  CHECK_THROWS_WITH_AS(attention.at(Tensor::zeros({4, 3}, i64), query, memory),
                       "[attention::LocalM] positions i64[4, 3] don't fit query f64[4, 2, 3]: [rows, queries] is needed",
                       ShapeError);
  CHECK_THROWS_AS(attention.at(Tensor::zeros({4, 2}), query, memory), DTypeError);
  CHECK_THROWS_AS(attention.at(Tensor(), query, memory), ShapeError);
}

TEST_CASE("local-p attention") {
  for (const nn::Normaliser normaliser : test::normalisers) {
    CAPTURE(nn::name_of(normaliser));
    const auto normalise = test::plain_normaliser(normaliser);
    for (const std::int64_t window : {1, 2, 5}) {
      LocalP attention({.query_dim = 3, .key_dim = 3, .hidden = 4, .window = window, .normaliser = normaliser});
      attention.to(f64);
      const Matrix w = test::matrix_of(attention.query.weight->value()),
                   p = test::matrix_of(attention.position.weight->value());
      const Vector v = test::matrix_of(attention.position_score.weight->value())[0];
      const auto reach = static_cast<double>(window);
      test::check_attention(attention, [&](const Matrix& queries, const Matrix& keys, const std::vector<bool>& open) {
        Matrix all;
        for (const Vector& query : queries) {
          Vector hidden = product(p, query);
          for (double& x : hidden) x = std::tanh(x);
          const double position = end_of(open) / (1 + std::exp(-product(v, hidden)));
          all.push_back(within(normalise, query, keys, w, open, position, reach));
          for (std::size_t k = 0; k < keys.size(); ++k) {
            const double distance = static_cast<double>(k) - position;
            all.back()[k] *= std::exp(-distance * distance / (2 * (reach / 2) * (reach / 2)));
          }
        }
        return all;
      });
      test::check_refusals(attention, "attention::LocalP");
    }
  }
}

TEST_CASE("a window as wide as numbers go reaches every place") {
  LocalM attention({.query_dim = 3, .key_dim = 3, .window = std::numeric_limits<std::int64_t>::max()});
  const Tensor x = test::uniform({2, 4, 3}, -1, 1, 1, f32), mask = Tensor::from<bool>({true, true, true, false}, {1, 4});
  const Tensor weights = attention(x, x, x, mask.expand({2, 4})).weights.value();
  for (std::int64_t q = 0; q < 4; ++q)
    for (std::int64_t k = 0; k < 4; ++k) CHECK((weights.at({1, q, k}) > 0) == (k < 3));
}

TEST_CASE("local attention that can't be is refused") {
  for (const std::int64_t window : {0, -2}) {
    CHECK_THROWS_WITH_AS(LocalM({.query_dim = 3, .key_dim = 3, .window = window}),
                         doctest::Contains("[attention::LocalM] window is"), ValueError);
    CHECK_THROWS_WITH_AS(LocalP({.query_dim = 3, .key_dim = 3, .hidden = 4, .window = window}),
                         doctest::Contains("[attention::LocalP] window is"), ValueError);
  }
  CHECK_THROWS_AS(LocalP({.query_dim = 3, .key_dim = 3}), ValueError);
  LocalM attention({.query_dim = 3, .key_dim = 3});
  const nn::AttentionMemory memory = attention.remember(Tensor::ones({2, 5, 3}), Tensor::ones({2, 5, 3}));
  CHECK_THROWS_WITH_AS(attention(Tensor::ones({2, 1, 3}), memory, nn::AttentionState{{}, Tensor::zeros({3}, i64)}),
                       "[attention::LocalM] the state's position i64[3] doesn't fit query f32[2, 1, 3]: [rows] is needed",
                       ShapeError);
  CHECK_THROWS_WITH_AS(attention(Tensor::ones({2, 1, 3}), memory, nn::AttentionState{{}, Tensor::zeros({2}, i32)}),
                       "[attention::LocalM] the state's position i32[2] for query f32[2, 1, 3] must be i64", DTypeError);
  for (const double position : {-5.0, 9e18})
    CHECK_THROWS_WITH_AS(attention(Tensor::ones({2, 1, 3}), memory, nn::AttentionState{{}, Tensor::full({2}, position, i64)}),
                         doctest::Contains("of row 0 is no number of a query, 0 or more (query f32[2, 1, 3])"), ValueError);
  CHECK_THROWS_WITH_AS(attention(Tensor::ones({2, 1, 3}), memory, nn::AttentionState{Tensor::zeros({2, 5}), {}}),
                       "[attention::LocalM] the state for query f32[2, 1, 3] has a history f32[2, 5], which another kind of "
                       "attention has left",
                       ValueError);
}
