#include "weft/nn/relative_position.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "ops/distances.hpp"
#include "support/random.hpp"
#include "weft/autograd/gradcheck.hpp"
#include "weft/base/error.hpp"
#include "weft/nn/adaptive_span.hpp"
#include "weft/nn/alibi.hpp"
#include "weft/nn/rotary_embedding.hpp"
#include "weft/ops/elementwise.hpp"
#include "weft/ops/reduce.hpp"

using namespace weft;
using test::largest_difference;
using test::uniform;

TEST_CASE("numbers by distance become numbers by key and back") {
  for (const std::int64_t queries : {0, 1, 2, 4})
    for (const std::int64_t keys : {0, 1, 3, 5}) {
      CAPTURE(queries);
      CAPTURE(keys);
      const std::int64_t width = std::max<std::int64_t>(queries + keys - 1, 0);
      const Tensor all = uniform({2, queries, width}, -1, 1, 1);
      const Tensor keyed = by_key(all, keys).value();
      REQUIRE(keyed.shape() == Shape{2, queries, keys});
      const Tensor back = by_distance(keyed).value();
      REQUIRE(back.shape() == all.shape());
      for (std::int64_t i = 0; i < queries; ++i)
        for (std::int64_t r = 0; r < width; ++r) {
          const std::int64_t j = r + i - (queries - 1);
          const bool there = j >= 0 && j < keys;
          if (there) CHECK(keyed.at({1, i, j}) == all.at({1, i, r}));
          CHECK(back.at({1, i, r}) == (there ? all.at({1, i, r}) : 0));
        }
    }
}

TEST_CASE("T5's buckets are those of its code") {
  // relative_position_bucket of the authors' mesh_tensorflow, written out.
  const nn::RelativeBias both({.num_heads = 1, .num_buckets = 32, .max_distance = 128}),
      causal({.num_heads = 1, .num_buckets = 32, .max_distance = 128, .bidirectional = false});
  const auto plain = [](std::int64_t distance, bool bidirectional) {
    std::int64_t buckets = 32, result = 0, n = -distance;
    if (bidirectional) {
      buckets /= 2;
      result += n < 0 ? buckets : 0;
      n = std::abs(n);
    } else {
      n = std::max<std::int64_t>(n, 0);
    }
    const std::int64_t exact = buckets / 2;
    if (n < exact) return result + n;
    const double large = std::log(static_cast<double>(n) / static_cast<double>(exact)) /
                         std::log(128.0 / static_cast<double>(exact)) * static_cast<double>(buckets - exact);
    return result + std::min(exact + static_cast<std::int64_t>(large), buckets - 1);
  };
  for (std::int64_t d = -300; d <= 300; ++d) {
    CHECK(both.bucket(d) == plain(d, true));
    CHECK(causal.bucket(d) == plain(d, false));
  }
  CHECK(both.bucket(std::numeric_limits<std::int64_t>::max()) == 31);
  CHECK(causal.bucket(-std::numeric_limits<std::int64_t>::max()) == 31);
  CHECK(both.bucket(std::numeric_limits<std::int64_t>::min()) == 15);
  CHECK(causal.bucket(std::numeric_limits<std::int64_t>::min()) == 31);
}

TEST_CASE("relative positions and biases, their gradients to second order, and sizes of 0") {
  nn::RelativePositions shaw({.head_dim = 3, .max_distance = 2}, {.seed = 1});
  nn::RelativeBias t5({.num_heads = 2, .num_buckets = 8, .max_distance = 5}, {.seed = 2});
  shaw.to(f64), t5.to(f64);
  const auto check = [&](nn::ModuleBase& module, const auto& output) {
    const auto loss = [&] { return sum(square(output())); };
    gradcheck_parameters(loss, module.parameters()).require();
    gradgradcheck_parameters(loss, module.parameters()).require();
    module.zero_grad();
  };
  for (const auto& [queries, keys] : std::vector<std::pair<std::int64_t, std::int64_t>>{{4, 4}, {1, 5}, {3, 6}, {5, 2}}) {
    const Tensor query = uniform({2, 2, queries, 3}, -1, 1, 1), weights = uniform({2, 2, queries, keys}, 0, 1, 2);
    const std::int64_t n = queries, m = keys;
    check(shaw, [&] { return shaw(query, m); });
    check(shaw, [&] { return shaw.values(weights); });
    check(t5, [&] { return t5(n, m); });
    gradgradcheck([&](const std::vector<Var>& in) { return shaw(in[0], m); }, {query}).require();
    gradgradcheck([&](const std::vector<Var>& in) { return shaw.values(in[0]); }, {weights}).require();
    const Tensor bias = t5(n, m).value();
    for (std::int64_t i = 0; i < n; ++i)
      for (std::int64_t j = 0; j < m; ++j)
        CHECK(bias.at({0, 1, i, j}) == t5.weight->value().at({t5.bucket(j - (m - n + i)), 1}));
  }
  for (const auto& [queries, keys] : std::vector<std::pair<std::int64_t, std::int64_t>>{{0, 3}, {2, 0}, {0, 0}}) {
    CHECK(shaw(Tensor::zeros({1, 2, queries, 3}, f64), keys).shape() == Shape{1, 2, queries, keys});
    CHECK(shaw.values(Tensor::zeros({1, 2, queries, keys}, f64)).shape() == Shape{1, 2, queries, 3});
    CHECK(t5(queries, keys).shape() == Shape{1, 2, queries, keys});
    CHECK(nn::alibi(2, queries, keys).shape() == Shape{1, 2, queries, keys});
  }
  CHECK_THROWS_WITH_AS(shaw(Tensor::zeros({1, 2, 3, 4}, f64), 3), doctest::Contains("[RelativePositions] query"), ShapeError);
  CHECK_THROWS_AS(shaw(Tensor::zeros({1, 2, 3, 3}, f64), -1), ValueError);
  CHECK_THROWS_AS(shaw.values(Tensor::zeros({1, 2, 3}, f64)), ShapeError);
  CHECK_THROWS_AS(t5(-1, 2), ValueError);
  CHECK_THROWS_AS(nn::RelativePositions({.head_dim = 0}), ValueError);
  CHECK_THROWS_AS(nn::RelativePositions({.head_dim = 2, .max_distance = 0}), ValueError);
  CHECK_THROWS_AS(nn::RelativeBias({.num_heads = 0}), ValueError);
  CHECK_THROWS_AS(nn::RelativeBias({.num_heads = 1, .num_buckets = 2}), ValueError);
}

TEST_CASE("ALiBi's slopes are the paper's, and those of its code between powers of 2") {
  const Tensor eight = nn::alibi_slopes(8, f64), six = nn::alibi_slopes(6, f64);
  for (std::int64_t h = 0; h < 8; ++h) CHECK(eight.at({h}) == std::pow(0.5, static_cast<double>(h + 1)));
  const double expected[] = {0.25, 0.0625, 0.015625, 0.00390625, 0.5, 0.125};
  for (std::int64_t h = 0; h < 6; ++h) CHECK(six.at({h}) == expected[h]);
  const Tensor bias = nn::alibi(8, 2, 4);
  CHECK(bias.dtype() == f32);
  CHECK(bias.at({0, 1, 0, 0}) == -0.5);   // the first query stands at place 2
  CHECK(bias.at({0, 1, 0, 3}) == -0.25);  // a key behind it
  CHECK(bias.at({0, 0, 1, 3}) == 0);
  CHECK_THROWS_AS(nn::alibi_slopes(0), ValueError);
  CHECK_THROWS_AS(nn::alibi(2, -1, 2), ValueError);
  CHECK_THROWS_AS(nn::alibi(2, 1, 2, i64), DTypeError);
}

TEST_CASE("rotary embeddings turn pairs by the place, and products know the distance alone") {
  nn::RotaryEmbedding rotary;
  const Tensor x = uniform({2, 3, 5, 6}, -1, 1, 1);
  const Tensor y = rotary(x, 2).value();
  for (std::int64_t p = 0; p < 5; ++p)
    for (std::int64_t i = 0; i < 3; ++i) {
      const double angle = static_cast<double>(p + 2) / std::pow(10000.0, static_cast<double>(2 * i) / 6);
      const double a = x.at({1, 2, p, 2 * i}), b = x.at({1, 2, p, 2 * i + 1});
      CHECK(y.at({1, 2, p, 2 * i}) == doctest::Approx(a * std::cos(angle) - b * std::sin(angle)).epsilon(1e-13));
      CHECK(y.at({1, 2, p, 2 * i + 1}) == doctest::Approx(a * std::sin(angle) + b * std::cos(angle)).epsilon(1e-13));
    }
  const Tensor q = uniform({1, 6}, -1, 1, 2), k = uniform({1, 6}, -1, 1, 3);
  const auto product = [&](std::int64_t i, std::int64_t j) { return sum(rotary(q, i) * rotary(k, j)).item(); };
  CHECK(product(7, 4) == doctest::Approx(product(1003, 1000)).epsilon(1e-10));
  CHECK(rotary(uniform({2, 0, 4}, -1, 1, 1)).shape() == Shape{2, 0, 4});
  gradcheck([&](const std::vector<Var>& in) { return rotary(in[0], 3); }, {x}).require();
  gradgradcheck([&](const std::vector<Var>& in) { return square(rotary(in[0], 3)); }, {x}).require();
  CHECK_THROWS_WITH_AS(rotary(uniform({2, 3}, -1, 1, 1)), doctest::Contains("even size"), ShapeError);
  CHECK_THROWS_AS(rotary(uniform({4}, -1, 1, 1)), ShapeError);
  CHECK_THROWS_AS(rotary(x, -1), ValueError);
  CHECK_THROWS_AS(rotary(Tensor::zeros({2, 4}, i64)), DTypeError);
}

TEST_CASE("positions by distance that can't be are refused by name") {
  constexpr std::int64_t most = std::numeric_limits<std::int64_t>::max();
  CHECK_THROWS_WITH_AS(nn::RelativePositions({.head_dim = 2, .max_distance = most}),
                       doctest::Contains("[RelativePositions] head_dim is 2 and max_distance 9223372036854775807"), ValueError);
  CHECK_THROWS_WITH_AS(nn::alibi(1, most, 2), doctest::Contains("[alibi] 9223372036854775807 queries and 2 keys"), ValueError);
  CHECK_THROWS_AS(nn::alibi(1, -1, 2), ValueError);
  nn::RelativePositions shaw({.head_dim = 2, .max_distance = 3});
  CHECK_THROWS_WITH_AS(shaw(Tensor::zeros({1, 1, 2, 2}), most),
                       doctest::Contains("keys; neither can be negative or more than 1099511627776"), ValueError);
  CHECK_THROWS_AS(nn::RelativeBias({.num_heads = 2}).by_distance(most, 2), ValueError);
  CHECK_THROWS_WITH_AS(shaw(Var(), 3), "[RelativePositions] the query isn't given", ValueError);
  CHECK_THROWS_WITH_AS(shaw.values(Var()), "[RelativePositions] the weights aren't given", ValueError);
  nn::RotaryEmbedding rotary;
  CHECK_THROWS_WITH_AS(rotary(Var()), "[RotaryEmbedding] the input isn't given", ValueError);
  nn::AdaptiveSpan span({.num_heads = 2, .max_span = 4});
  CHECK_THROWS_WITH_AS(span(Var()), "[AdaptiveSpan] the weights aren't given", ValueError);
  CHECK_THROWS_WITH_AS(span.in_sight(-1, 3), doctest::Contains("[AdaptiveSpan] -1 queries and 3 keys; neither can be negative"),
                       ValueError);
}
