#include "weft/nn/gated_attention.hpp"

#include <cmath>

#include "nn/attention_reference.hpp"
#include "nn/mixing_checks.hpp"
#include "weft/nn/attention_recorder.hpp"

using namespace weft;
using test::largest_difference;
using test::uniform;

TEST_CASE("a gated attention unit is the formula by plain loops, under any mask") {
  nn::GatedAttentionUnit made({.embed_dim = 6, .hidden = 5, .key_dim = 3});
  auto& gau = test::filled(made);
  const Tensor x = uniform({2, 5, 6}, -1, 1, 1), allowed = test::coins({2, 1, 5, 5}, 0.7, 4);
  const auto silu = [](double a) { return a / (1 + std::exp(-a)); };
  const Tensor wide = test::plain_linear(x, gau.in_proj.weight->value(), gau.in_proj.bias->value());
  const Tensor gamma = gau.gamma->value(), beta = gau.beta->value();
  for (const bool causal : {false, true}) {
    const std::int64_t length[] = {5, 3};
    Tensor mixed = Tensor::zeros({2, 5, 5}, f64), weights = Tensor::zeros({2, 1, 5, 5}, f64);
    auto *to = mixed.mutable_data<double>(), *w = weights.mutable_data<double>();
    for (std::int64_t b = 0; b < 2; ++b)
      for (std::int64_t i = 0; i < 5; ++i) {
        const auto open = [&](std::int64_t j) { return j < length[b] && (!causal || j <= i) && allowed.at({b, 0, i, j}) != 0; };
        double n = 0;
        for (std::int64_t j = 0; j < 5; ++j) n += open(j) ? 1 : 0;
        for (std::int64_t j = 0; j < 5; ++j) {
          if (!open(j)) continue;
          double dot = 0;
          for (std::int64_t d = 0; d < 3; ++d)
            dot += (silu(wide.at({b, i, 10 + d})) * gamma.at({0, d}) + beta.at({0, d})) *
                   (silu(wide.at({b, j, 10 + d})) * gamma.at({1, d}) + beta.at({1, d}));
          const double weight = std::pow(std::max(dot / n, 0.0), 2);
          w[(b * 5 + i) * 5 + j] = weight;
          for (std::int64_t e = 0; e < 5; ++e)
            to[(b * 5 + i) * 5 + e] += silu(wide.at({b, i, e})) * weight * silu(wide.at({b, j, 5 + e}));
        }
      }
    const Tensor expected = test::plain_linear(mixed, gau.out_proj.weight->value(), gau.out_proj.bias->value());
    const AttentionMask mask{.allowed = allowed, .lengths = Tensor::from<std::int64_t>({5, 3}, {2}), .causal = causal};
    const auto got = gau(x, mask, nn::AttentionWeights::per_head);
    CHECK(largest_difference(got.output.value().select(0, 0), expected.select(0, 0)) <= 1e-13);
    CHECK(largest_difference(got.output.value().select(0, 1).slice(0, 0, 3), expected.select(0, 1).slice(0, 0, 3)) <= 1e-13);
    CHECK(largest_difference(got.weights.value().select(0, 0), weights.select(0, 0)) <= 1e-13);
    CHECK(gau(x, mask, nn::AttentionWeights::averaged).weights.shape() == Shape{2, 5, 5});
    CHECK(!gau(x, mask).weights.defined());
  }
  const auto closed = gau(x, AttentionMask{.lengths = Tensor::from<std::int64_t>({0, 5}, {2})}, nn::AttentionWeights::averaged);
  CHECK(test::largest(closed.weights.value().select(0, 0)) == 0);
  for (std::int64_t i = 0; i < 6; ++i) CHECK(closed.output.value().at({0, 1, i}) == gau.out_proj.bias->value().at({i}));
}

TEST_CASE("a place that is closed to every query reaches no other row of a gated attention unit") {
  nn::GatedAttentionUnit made({.embed_dim = 6, .hidden = 5, .key_dim = 3});
  auto& gau = test::filled(made);
  const Tensor x = uniform({2, 4, 6}, -1, 1, 1);
  Tensor spoilt = x.clone(), keys = Tensor::ones({2, 1, 1, 4}, boolean);
  spoilt.select(0, 0).slice(0, 2, 3).fill(std::numeric_limits<double>::quiet_NaN());
  keys.select(0, 0).slice(2, 2, 3).fill(0);
  for (const Tensor& allowed : {keys, keys.expand({2, 1, 4, 4}).contiguous()}) {
    const Tensor clean = gau(x, AttentionMask{.allowed = allowed}).output.value();
    const Tensor dirty = gau(spoilt, AttentionMask{.allowed = allowed}).output.value();
    CHECK(largest_difference(dirty.select(0, 1), clean.select(0, 1)) == 0);
    for (const std::int64_t i : {0, 1, 3})
      CHECK(largest_difference(dirty.select(0, 0).select(0, i), clean.select(0, 0).select(0, i)) == 0);
  }
}

TEST_CASE("a gated attention unit's gradients, padding, steps and refusals") {
  nn::GatedAttentionUnit made({.embed_dim = 6, .key_dim = 3});
  auto& gau = test::filled(made);
  CHECK(gau.out_proj.weight->shape() == Shape{6, 12});
  test::check_mixing_gradients(gau, 6);
  test::check_mixing_weights_gradients(gau, 6);
  test::check_mixing_padding(gau, 6);
  test::check_mixing_steps(gau, 6);
  test::check_mixing_refusals(gau, 6, "[GatedAttentionUnit]");
  const Tensor x = uniform({2, 3, 6}, -1, 1, 1);
  const Tensor weights = gau(x, AttentionMask{.causal = true}, nn::AttentionWeights::per_head).weights.value();
  {
    const nn::AttentionRecorder recorder;
    gau(x, AttentionMask{.causal = true});
    REQUIRE(recorder.calls().size() == 1);
    CHECK(weights.shape() == Shape{2, 1, 3, 3});
    CHECK(largest_difference(recorder.calls()[0].weights, weights) == 0);
  }
  for (const Shape& shape : {Shape{3, 3}, Shape{1, 1, 3, 4}, Shape{1, 1, 2, 3}, Shape{2, 2, 3, 3}, Shape{3, 1, 3, 3}})
    CHECK_THROWS_AS(gau(x, AttentionMask{.allowed = Tensor::ones(shape, boolean)}), ShapeError);
  CHECK_THROWS_AS(gau(x, AttentionMask{.allowed = Tensor::ones({1, 1, 3, 3})}), DTypeError);
  CHECK_THROWS_AS(nn::GatedAttentionUnit({.embed_dim = 0}), ValueError);
  CHECK_THROWS_AS(nn::GatedAttentionUnit({.embed_dim = 4, .hidden = -1}), ValueError);
  CHECK_THROWS_WITH_AS(nn::GatedAttentionUnit({.embed_dim = 4, .key_dim = 0}), doctest::Contains("key_dim 0"), ValueError);
  CHECK_THROWS_AS(nn::GatedAttentionUnit({.embed_dim = 4, .dropout = 1}), ValueError);
}

TEST_CASE("dropout of a gated attention unit falls on the weights in training alone") {
  nn::GatedAttentionUnit gau({.embed_dim = 6, .key_dim = 3, .dropout = 0.5});
  const Tensor x = uniform({2, 8, 6}, -3, 3, 1, f32);
  const auto run = [&](std::uint64_t seed) {
    Generator generator(seed);
    Tape tape(generator);
    return gau(x).output.value().clone();
  };
  CHECK(largest_difference(run(1), run(1)) == 0);
  CHECK(largest_difference(run(1), run(2)) > 0);
  gau.eval();
  CHECK(largest_difference(run(1), run(2)) == 0);
}
