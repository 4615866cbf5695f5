#include "weft/nn/multihead_attention.hpp"

#include "base/fail.hpp"
#include "nn/padding.hpp"
#include "weft/nn/attention_recorder.hpp"
#include "weft/ops/index.hpp"
#include "weft/ops/matmul.hpp"
#include "weft/ops/reduce.hpp"
#include "weft/ops/shape.hpp"

namespace weft::nn {
namespace {

constexpr const char* op = "MultiheadAttention";

MultiheadAttentionOptions checked(MultiheadAttentionOptions o) {
  check<ValueError>(o.embed_dim > 0 && o.num_heads > 0 && o.embed_dim % o.num_heads == 0, op,
                    "embed_dim is {} and num_heads {}; both must be positive, and the heads divide the size evenly",
                    o.embed_dim, o.num_heads);
  check<ValueError>(o.kdim >= 0 && o.vdim >= 0, op, "kdim is {} and vdim {}; neither can be negative (0: embed_dim)", o.kdim,
                    o.vdim);
  check<ValueError>(o.dropout >= 0 && o.dropout < 1, op, "dropout is {}; it must be in [0, 1)", o.dropout);
  if (o.kdim == 0) o.kdim = o.embed_dim;
  if (o.vdim == 0) o.vdim = o.embed_dim;
  return o;
}

LinearOptions output_layer(const MultiheadAttentionOptions& given) {
  const MultiheadAttentionOptions o = checked(given);
  return {.in_features = o.embed_dim,
          .out_features = o.embed_dim,
          .bias = o.bias,
          .weight_init = o.weight_init,
          .bias_init = init::zeros()};
}

bool same(const Var& a, const Var& b) { return a.value().is_same(b.value()) && a.slot() == b.slot(); }

void check_operand(const char* name, const Var& x, std::int64_t size) {
  check<ShapeError>(x.rank() == 3 && x.size(2) == size, op, "{} {} is not [batch, places, {}]", name, x.value(), size);
}

Var joined(const Var& old, const Var& more) { return old.defined() ? concat({old, more}, 2) : more; }

}  // namespace

AttentionCache AttentionCache::select(const Tensor& index) const {
  return keys.defined() ? AttentionCache{index_select(keys, 0, index), index_select(values, 0, index)} : AttentionCache{};
}

MultiheadAttention::MultiheadAttention(const MultiheadAttentionOptions& options, const Scope& scope)
    : Module(scope), out_proj(output_layer(options), {this, "out_proj"}), options_(checked(options)) {
  const std::int64_t size = options_.embed_dim;
  if (options_.kdim == size && options_.vdim == size) {
    in_proj_weight = Weight(this, "in_proj_weight", Shape{3 * size, size}, init::xavier_uniform());
  } else {
    q_proj_weight = Weight(this, "q_proj_weight", Shape{size, size}, init::xavier_uniform());
    k_proj_weight = Weight(this, "k_proj_weight", Shape{size, options_.kdim}, init::xavier_uniform());
    v_proj_weight = Weight(this, "v_proj_weight", Shape{size, options_.vdim}, init::xavier_uniform());
  }
  if (options_.bias) in_proj_bias = Weight(this, "in_proj_bias", Shape{3 * size}, init::zeros());
}

Var MultiheadAttention::in_heads(const Var& x) const {
  return transpose(reshape(x, {x.size(0), x.size(1), options_.num_heads, options_.embed_dim / options_.num_heads}), 1, 2);
}

// Query (0), key (1) or value (2) alone.
Var MultiheadAttention::projected(int which, const Var& x) const {
  const std::int64_t size = options_.embed_dim, start = which * size;
  const Weight* own[] = {&q_proj_weight, &k_proj_weight, &v_proj_weight};
  const Var weight = in_proj_weight.defined() ? slice(in_proj_weight, 0, start, start + size) : own[which]->var();
  const Var bias = in_proj_bias.defined() ? slice(in_proj_bias, 0, start, start + size) : Var();
  return in_heads(linear(x, weight, bias));
}

// One product for both where they are made of one input.
AttentionCache MultiheadAttention::keys_and_values(const Var& key, const Var& value) const {
  if (!in_proj_weight.defined() || !same(key, value)) return {projected(1, key), projected(2, value)};
  const std::int64_t size = options_.embed_dim;
  const Var bias = in_proj_bias.defined() ? slice(in_proj_bias, 0, size, 3 * size) : Var();
  const PoolVector<Var> parts = split(linear(key, slice(in_proj_weight, 0, size, 3 * size), bias), {size, size}, 2);
  return {in_heads(parts[0]), in_heads(parts[1])};
}

MultiheadAttention::Heads MultiheadAttention::project(const Var& query, const Var& key, const Var& value) const {
  if (!in_proj_weight.defined() || !same(query, key) || !same(key, value)) {
    AttentionCache places = keys_and_values(key, value);
    return {projected(0, query), std::move(places.keys), std::move(places.values)};
  }
  const std::int64_t size = options_.embed_dim;
  const PoolVector<Var> parts = split(linear(query, in_proj_weight, in_proj_bias), {size, size, size}, 2);
  return {in_heads(parts[0]), in_heads(parts[1]), in_heads(parts[2])};
}

MultiheadAttentionOutput MultiheadAttention::attend(const Heads& heads, const AttentionMask& mask, AttentionWeights weights) {
  const bool recorded = AttentionRecorder::alive();
  const AttentionResult result = scaled_dot_product_attention(
      heads.query, heads.key, heads.value, mask,
      {.dropout = training() ? options_.dropout : 0, .need_weights = recorded || weights != AttentionWeights::none});
  if (recorded) AttentionRecorder::record(*this, result.weights.value());
  const Var together = reshape(transpose(result.output, 1, 2), {heads.query.size(0), heads.query.size(2), options_.embed_dim});
  if (weights == AttentionWeights::none) return {out_proj(together), {}};
  return {out_proj(together), weights == AttentionWeights::averaged ? mean(result.weights, {1}) : result.weights};
}

MultiheadAttentionOutput MultiheadAttention::forward(const Var& query, const Var& key, const Var& value,
                                                     const AttentionMask& mask, AttentionWeights weights, Padding padding) {
  check_operand("query", query, options_.embed_dim);
  check_operand("key", key, options_.kdim);
  check_operand("value", value, options_.vdim);
  check<ShapeError>(key.size(0) == query.size(0) && value.size(0) == query.size(0) && key.size(1) == value.size(1), op,
                    "query {}, key {} and value {} don't fit: one batch, and as many keys as values", query.value(),
                    key.value(), value.value());
  if (!mask.lengths.defined() || padding == Padding::finite) return attend(project(query, key, value), mask, weights);
  const Var clean = without_padding(key, mask.lengths, op);
  return attend(
      project(same(query, key) ? clean : query, clean, same(value, key) ? clean : without_padding(value, mask.lengths, op)),
      mask, weights);
}

AttentionCache MultiheadAttention::remember(const Var& key, const Var& value, const Tensor& lengths) {
  const ScopeGuard scope(path());
  check_operand("key", key, options_.kdim);
  check_operand("value", value, options_.vdim);
  const Var clean = without_padding(key, lengths, op);
  return keys_and_values(clean, same(key, value) ? clean : without_padding(value, lengths, op));
}

MultiheadAttentionOutput MultiheadAttention::forward(const Var& query, const AttentionCache& memory, const AttentionMask& mask,
                                                     AttentionWeights weights) {
  check_operand("query", query, options_.embed_dim);
  check<ValueError>(memory.keys.defined(), op, "there is nothing to attend to: the cache is empty");
  const std::int64_t rows = query.size(0), sentences = memory.keys.size(0);
  check<ShapeError>(sentences > 0 ? rows % sentences == 0 : rows == 0, op,
                    "query {} has not as many rows as the memory {}, nor a multiple of them", query.value(),
                    memory.keys.value());
  if (rows == sentences) return attend({projected(0, query), memory.keys, memory.values}, mask, weights);
  // Rows of one sentence as further queries: a mask must not tell these apart.
  check<ValueError>(
      !mask.causal, op,
      "a causal mask can't be for several rows of queries that share one of the memory ({} and {}); give each its "
      "own with AttentionCache::select",
      query.value(), memory.keys.value());
  check<ValueError>(!mask.allowed.defined() || mask.allowed.rank() < 2 || mask.allowed.size(-2) == 1, op,
                    "the mask {} has a dimension of queries, but several rows of queries share one of the memory ({} and {}); "
                    "give one for all queries, [batch, 1, 1, keys], or each row its own memory with AttentionCache::select",
                    mask.allowed, query.value(), memory.keys.value());
  const Var folded = reshape(query, {sentences, rows / sentences * query.size(1), query.size(2)});
  MultiheadAttentionOutput result = attend({projected(0, folded), memory.keys, memory.values}, mask, weights);
  result.output = reshape(result.output, query.shape());
  if (weights == AttentionWeights::averaged) {
    result.weights = reshape(result.weights, {rows, query.size(1), memory.places()});
  } else if (weights == AttentionWeights::per_head) {
    const Var apart =
        reshape(result.weights, {sentences, options_.num_heads, rows / sentences, query.size(1), memory.places()});
    result.weights = reshape(transpose(apart, 1, 2), {rows, options_.num_heads, query.size(1), memory.places()});
  }
  return result;
}

MultiheadAttentionStep MultiheadAttention::step(const Var& x, const AttentionCache& cache) {
  const ScopeGuard scope(path());
  check_operand("input", x, options_.embed_dim);
  check<ValueError>(in_proj_weight.defined(), op,
                    "attention to itself needs keys and values of the queries' size {}, not {} and {}", options_.embed_dim,
                    options_.kdim, options_.vdim);
  check<ShapeError>(!cache.keys.defined() || cache.keys.size(0) == x.size(0), op, "input {} and cache {} differ in rows",
                    x.value(), cache.keys.value());
  const Heads heads = project(x, x, x);
  AttentionCache grown{joined(cache.keys, heads.key), joined(cache.values, heads.value)};
  Var output = attend({heads.query, grown.keys, grown.values}, {.causal = true}, AttentionWeights::none).output;
  return {std::move(output), std::move(grown)};
}

}  // namespace weft::nn
