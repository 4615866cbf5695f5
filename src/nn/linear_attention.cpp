#include "weft/nn/linear_attention.hpp"

#include <algorithm>
#include <cmath>
#include <optional>

#include "base/fail.hpp"
#include "nn/heads.hpp"
#include "nn/padding.hpp"
#include "ops/attention_mask.hpp"
#include "ops/lengths.hpp"
#include "weft/ops/activation.hpp"
#include "weft/ops/comparison.hpp"
#include "weft/ops/elementwise.hpp"
#include "weft/ops/index.hpp"
#include "weft/ops/matmul.hpp"
#include "weft/ops/reduce.hpp"
#include "weft/ops/shape.hpp"
#include "weft/ops/triangle.hpp"

namespace weft::nn {
namespace {

constexpr const char* op = "LinearAttention";

LinearOptions layer(const LinearAttentionOptions& o) {
  check_heads(op, o.embed_dim, o.num_heads);
  return {.in_features = o.embed_dim, .out_features = o.embed_dim, .bias = o.bias, .weight_init = o.weight_init};
}

// x / total, 0 where the total is.
Var shared(const Var& x, const Var& total) { return x / where(eq(total, 0), Var::scalar(1, total.dtype()), total); }

// Features of queries, those whose largest is below 1 brought up to it: products with keys' features far below 1 stay normal
// numbers. Powers of two round nothing, and a query's factor changes nothing in its weights, so it has no gradient.
Var lifted(const Var& queries) {
  const Tensor largest = max(Var(queries.value()), {-1}, true).value().to(f64).contiguous();
  Tensor factors = Tensor::ones(largest.shape(), f64);
  const double* from = largest.data<double>();
  double* to = factors.mutable_data<double>();
  bool all_ones = true;
  for (std::int64_t i = 0; i < largest.numel(); ++i) {
    if (!(from[i] > 0 && from[i] < 1)) continue;
    to[i] = std::ldexp(1.0, std::min(-std::ilogb(from[i]), 120));  // 2^120 is a number of f32 too
    all_ones = false;
  }
  return all_ones ? queries : queries * Var(factors.to(queries.dtype()));
}

// Sums over the keys: of phi(k) v^T [batch, heads, size, size] and of phi(k) [batch, heads, 1, size].
struct Sums {
  Var values, keys;
};

Sums sums_over(const Var& keys, const Var& values) { return {matmul(transpose(keys, 2, 3), values), sum(keys, {2}, true)}; }

Sums operator+(const Sums& a, const Sums& b) { return a.keys.defined() ? Sums{a.values + b.values, a.keys + b.keys} : b; }

Var attend(const Var& queries, const Sums& sums) {
  return shared(matmul(queries, sums.values), matmul(queries, transpose(sums.keys, 2, 3)));
}

// Causally, behind what `before` sums up; `before` becomes the sums of all. Blocks of places: within one by the weights, of the
// blocks before it by their sums, so that neither all weights nor the sums of every place stand in memory.
Var attend_causally(const Var& queries, const Var& keys, const Var& values, Sums& before) {
  constexpr std::int64_t block = 64;
  const std::int64_t places = queries.size(2);
  PoolVector<Var> parts;
  for (std::int64_t start = 0; start < places; start += block) {
    const auto part = [&](const Var& x) { return slice(x, 2, start, std::min(places, start + block)); };
    const Var q = part(queries), k = part(keys), v = part(values);
    const Var weights = tril(matmul(q, transpose(k, 2, 3)));
    Var outputs = matmul(weights, v), totals = sum(weights, {3}, true);
    if (before.keys.defined()) {
      outputs = outputs + matmul(q, before.values);
      totals = totals + matmul(q, transpose(before.keys, 2, 3));
    }
    parts.push_back(shared(outputs, totals));
    before = before + sums_over(k, v);
  }
  return parts.empty() ? values : concat(parts, 2);
}

}  // namespace

LinearAttention::LinearAttention(const LinearAttentionOptions& options, const Scope& scope)
    : Module(scope),
      q_proj(layer(options), {this, "q_proj"}),
      k_proj(layer(options), {this, "k_proj"}),
      v_proj(layer(options), {this, "v_proj"}),
      out_proj(layer(options), {this, "out_proj"}),
      options_(options) {}

Var LinearAttention::features(const Var& x) const {
  if (options_.feature_map == FeatureMap::relu) return relu(x);
  return where(gt(x, 0), x + 1.0, exp(clamp(x, std::nullopt, 0)));  // elu(x) + 1, which would cancel below 0
}

MixingOutput LinearAttention::forward(const Var& query, const Var& key, const Var& value, const AttentionMask& mask,
                                      AttentionWeights weights, Padding padding) {
  check_places(op, "query", query, options_.embed_dim, *out_proj.weight);
  check_places(op, "key", key, options_.embed_dim, *out_proj.weight);
  check_places(op, "value", value, options_.embed_dim, *out_proj.weight);
  check<ShapeError>(key.size(0) == query.size(0) && value.size(0) == query.size(0) && key.size(1) == value.size(1), op,
                    "query {}, key {} and value {} don't fit: one batch, and as many keys as values", query.value(),
                    key.value(), value.value());
  check<ValueError>(!mask.allowed.defined(), op,
                    "a mask {} of pairs of places can't be followed by sums over the keys {}; give lengths, and `causal`",
                    mask.allowed, key.value());
  check<ShapeError>(!mask.causal || query.size(1) == key.size(1), op,
                    "query {} and key {} differ in places; a causal mask needs as many", query.value(), key.value());
  const auto cleaned = [&](const Var& x) { return padding == Padding::finite ? x : without_padding(x, mask.lengths, op); };
  const Var clean = cleaned(key);
  const Tensor lengths = checked_lengths(op, mask.lengths, "key", key.value(), 1);
  const Var q = lifted(features(in_heads(q_proj(same(query, key) ? clean : query), options_.num_heads)));
  const Var v = in_heads(v_proj(same(value, key) ? clean : cleaned(value)), options_.num_heads);
  Var k = features(in_heads(k_proj(clean), options_.num_heads));
  if (lengths.defined()) k = where(sequence_mask(lengths, key.size(1)).unsqueeze(1).unsqueeze(3), k, Var::scalar(0, k.dtype()));
  MixingOutput result;
  if (mask.causal) {
    Sums nothing;
    result.output = out_proj(together(attend_causally(q, k, v, nothing)));
  } else {
    result.output = out_proj(together(attend(q, sums_over(k, v))));
  }
  if (weights == AttentionWeights::none) return result;
  Var all = matmul(q, transpose(k, 2, 3));
  if (mask.causal) all = tril(all);
  all = shared(all, sum(all, {3}, true));
  result.weights = weights == AttentionWeights::averaged ? mean(all, {1}) : all;
  return result;
}

Var LinearAttention::mix(const Var& x, const AttentionMask& mask, Padding padding) {
  return (*this)(x, x, x, mask, AttentionWeights::none, padding).output;
}

MixingStep LinearAttention::step(const Var& x, const AttentionCache& cache) {
  return run([&]() -> MixingStep {
    check_places(op, "input", x, options_.embed_dim, *out_proj.weight);
    const std::int64_t heads = options_.num_heads, size = options_.embed_dim / heads;
    check_cache(op, x, cache, {{heads, 1, size}, {heads, size, size}});
    Sums sums{cache.values, cache.keys};
    const Var q = lifted(features(in_heads(q_proj(x), heads))), k = features(in_heads(k_proj(x), heads)),
              v = in_heads(v_proj(x), heads);
    Var output = out_proj(together(attend_causally(q, k, v, sums)));
    return {std::move(output), {sums.keys, sums.values}};
  });
}

}  // namespace weft::nn
