#include "weft/nn/linear_attention.hpp"

#include <cmath>

#include "nn/attention_reference.hpp"
#include "nn/mixing_checks.hpp"
#include "weft/ops/matmul.hpp"

using namespace weft;
using test::largest_difference;
using test::uniform;

namespace {

template <class Check>
void for_each_map(const Check& check) {
  for (const nn::FeatureMap map : {nn::FeatureMap::elu, nn::FeatureMap::relu}) {
    CAPTURE(map);
    nn::LinearAttention attention({.embed_dim = 6, .num_heads = 2, .feature_map = map});
    check(test::filled(attention), map);
  }
}

}  // namespace

TEST_CASE("linear attention is the quadratic form by plain loops, for blocks of places too") {
  for (const std::int64_t places : {1, 5, 130}) {
    const Tensor x = uniform({2, places, 6}, -1, 1, 1);
    for_each_map([&](nn::LinearAttention& attention, nn::FeatureMap map) {
      const auto part = [&](const nn::Linear& layer) {
        return test::plain_heads(test::plain_linear(x, layer.weight->value(), layer.bias->value()), 2);
      };
      const Tensor q = part(attention.q_proj), k = part(attention.k_proj), v = part(attention.v_proj);
      const auto phi = [map](double a) { return map == nn::FeatureMap::relu ? std::max(a, 0.0) : a > 0 ? a + 1 : std::exp(a); };
      for (const bool causal : {false, true}) {
        const std::int64_t length[] = {places, (places + 1) / 2};
        test::PlainAttention plain;
        plain.open = [&](auto b, auto, auto i, auto j) { return j < length[b] && (!causal || j <= i); };
        plain.score = [&](auto b, auto h, auto i, auto j, double) {
          double dot = 0;
          for (std::int64_t d = 0; d < 3; ++d) dot += phi(q.at({b, h, i, d})) * phi(k.at({b, h, j, d}));
          return std::log(dot);
        };
        const Tensor expected =
            test::plain_linear(plain(q, k, v), attention.out_proj.weight->value(), attention.out_proj.bias->value());
        const AttentionMask mask{.lengths = Tensor::from<std::int64_t>({length[0], length[1]}, {2}), .causal = causal};
        const auto got = attention(x, x, x, mask, nn::AttentionWeights::per_head);
        for (std::int64_t b = 0; b < 2; ++b)
          CHECK(largest_difference(got.output.value().select(0, b).slice(0, 0, length[b]),
                                   expected.select(0, b).slice(0, 0, length[b])) <= 1e-12);
        // By the weights.
        const Var heads = matmul(got.weights, Var(v));
        const Tensor again = attention.out_proj(reshape(transpose(heads, 1, 2), {2, places, 6})).value().slice(1, 0, length[1]);
        CHECK(largest_difference(got.output.value().slice(1, 0, length[1]), again) <= 1e-12);
        CHECK(largest_difference(attention(x, x, x, mask, nn::AttentionWeights::averaged).weights.value(),
                                 mean(got.weights, {1}).value()) == 0);
      }
    });
  }
}

TEST_CASE("queries and keys far below 0 keep their features in f32") {
  nn::LinearAttention attention({.embed_dim = 1, .num_heads = 1});
  for (nn::Linear* layer : {&attention.q_proj, &attention.k_proj, &attention.v_proj, &attention.out_proj})
    layer->weight->mutable_value().fill(1), layer->bias->mutable_value().fill(0);
  const Tensor value = Tensor::from<float>({-400, 100}, {1, 2, 1}), first = value.slice(1, 0, 1);
  const double share = 1 / (1 + std::exp(2.0));
  for (const float far : {-20.0F, -60.0F, -86.0F}) {  // e^-60 is a number of f32, its square is none
    CAPTURE(far);
    const Tensor query = Tensor::full({1, 1, 1}, far), key = Tensor::from<float>({far, far + 2}, {1, 2, 1});
    CHECK(attention(query, key, value).output.item() == doctest::Approx(-400 * share + 100 * (1 - share)).epsilon(1e-5));
    for (const bool causal : {false, true})
      CHECK(attention(query, query, first, AttentionMask{.causal = causal}).output.item() ==
            doctest::Approx(-400).epsilon(1e-5));
  }
}

TEST_CASE("gradients of linear attention to second order, of others' keys and of weights too") {
  for_each_map([](nn::LinearAttention& attention, nn::FeatureMap map) {
    if (map == nn::FeatureMap::elu) test::check_mixing_gradients(attention, 6);
    const Tensor query = uniform({2, 3, 6}, -1, 1, 1), memory = uniform({2, 4, 6}, -1, 1, 2);
    const auto check = [&](const auto& output) {
      const auto loss = [&] { return sum(square(output())); };
      gradcheck_parameters(loss, attention.parameters(), {.elements = 12}).require();
      gradgradcheck_parameters(loss, attention.parameters(), {.rtol = 1e-4, .directions = 1}).require();
      attention.zero_grad();
    };
    check([&] { return attention(query, memory, memory).output; });
    check([&] { return attention(query, memory, memory, AttentionMask{}, nn::AttentionWeights::per_head).weights; });
  });
}

TEST_CASE("padding reaches nothing through linear attention, and a query without keys gets zeros") {
  for_each_map([](nn::LinearAttention& attention, nn::FeatureMap) {
    test::check_mixing_padding(attention, 6);
    const Tensor x = uniform({2, 3, 6}, -1, 1, 1);
    const AttentionMask closed{.lengths = Tensor::from<std::int64_t>({0, 3}, {2})};
    const auto result = attention(x, x, x, closed, nn::AttentionWeights::per_head);
    CHECK(test::largest(result.weights.value().select(0, 0)) == 0);
    for (std::int64_t i = 0; i < 6; ++i) CHECK(result.output.value().at({0, 1, i}) == attention.out_proj.bias->value().at({i}));
  });
}

TEST_CASE("steps of linear attention give what all places at once give, from a state whose size doesn't grow") {
  for_each_map([](nn::LinearAttention& attention, nn::FeatureMap) {
    test::check_mixing_steps(attention, 6);
    test::check_mixing_steps(attention, 6, 140);
    const nn::AttentionCache cache = attention.step(uniform({2, 70, 6}, -1, 1, 1), {}).cache;
    CHECK(cache.values.shape() == Shape{2, 2, 3, 3});
    CHECK(cache.keys.shape() == Shape{2, 2, 1, 3});
  });
}

TEST_CASE("linear attention that can't be is refused") {
  for_each_map([](nn::LinearAttention& attention, nn::FeatureMap) {
    test::check_mixing_refusals(attention, 6, "[LinearAttention]");
    const Tensor x = uniform({2, 3, 6}, -1, 1, 1);
    CHECK_THROWS_WITH_AS(attention(x, x, x, AttentionMask{.allowed = Tensor::ones({3, 3}, boolean)}),
                         doctest::Contains("give lengths"), ValueError);
    CHECK_THROWS_WITH_AS(attention(x.slice(1, 0, 2), x, x, AttentionMask{.causal = true}), doctest::Contains("causal mask"),
                         ShapeError);
    CHECK_THROWS_AS(attention(x, x, x.slice(1, 0, 2)), ShapeError);
    CHECK_THROWS_AS(attention(x, x.slice(0, 0, 1), x.slice(0, 0, 1)), ShapeError);
    CHECK_THROWS_AS(attention(x, x.slice(2, 0, 3), x), ShapeError);
  });
  CHECK_THROWS_WITH_AS(nn::LinearAttention({.embed_dim = 6, .num_heads = 4}),
                       doctest::Contains("embed_dim is 6 and num_heads 4"), ValueError);
  CHECK_THROWS_AS(nn::LinearAttention({.embed_dim = 0, .num_heads = 1}), ValueError);
}
