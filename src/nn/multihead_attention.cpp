#include "weft/nn/multihead_attention.hpp"

#include <algorithm>
#include <cmath>

#include "base/fail.hpp"
#include "nn/heads.hpp"
#include "nn/padding.hpp"
#include "ops/attention_mask.hpp"
#include "ops/distances.hpp"
#include "ops/folded_attention.hpp"
#include "ops/lengths.hpp"
#include "ops/matmul_transposed.hpp"
#include "weft/autograd/tape.hpp"
#include "weft/nn/alibi.hpp"
#include "weft/nn/attention_recorder.hpp"
#include "weft/ops/comparison.hpp"
#include "weft/ops/dropout.hpp"
#include "weft/ops/elementwise.hpp"
#include "weft/ops/index.hpp"
#include "weft/ops/matmul.hpp"
#include "weft/ops/reduce.hpp"
#include "weft/ops/shape.hpp"

namespace weft::nn {
namespace {

constexpr const char* op = "MultiheadAttention";

MultiheadAttentionOptions checked(MultiheadAttentionOptions o) {
  check_heads(op, o.embed_dim, o.num_heads);
  check<ValueError>(o.kdim >= 0 && o.vdim >= 0, op, "kdim is {} and vdim {}; neither can be negative (0: embed_dim)", o.kdim,
                    o.vdim);
  check<ValueError>(o.dropout >= 0 && o.dropout < 1, op, "dropout is {}; it must be in [0, 1)", o.dropout);
  check<ValueError>(o.kv_heads >= 0 && (o.kv_heads == 0 || o.num_heads % o.kv_heads == 0), op,
                    "kv_heads is {} and num_heads {}; the former must divide the latter evenly (0: as many)", o.kv_heads,
                    o.num_heads);
  check<ValueError>(o.positions != AttentionPositions::rotary || o.embed_dim / o.num_heads % 2 == 0, op,
                    "embed_dim {} in {} heads is {} each; rotary positions need an even size", o.embed_dim, o.num_heads,
                    o.embed_dim / o.num_heads);
  check<ValueError>(o.max_distance >= 0 && o.max_span >= 0, op, "max_distance is {} and max_span {}; neither can be negative",
                    o.max_distance, o.max_span);
  check<ValueError>(o.max_distance == 0 || o.positions == AttentionPositions::shaw || o.positions == AttentionPositions::t5, op,
                    "max_distance {} is of shaw's and t5's positions, which `positions` doesn't ask for", o.max_distance);
  if (o.kv_heads == 0) o.kv_heads = o.num_heads;
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

CacheShape cache_shape(const MultiheadAttentionOptions& o) {
  const std::int64_t size = o.embed_dim / o.num_heads;
  return {{o.kv_heads, -1, size}, {o.kv_heads, -1, size}};
}

}  // namespace

AttentionCache AttentionCache::select(const Tensor& index) const {
  const auto rows = [&](const Var& x) { return x.defined() ? index_select(x, 0, index) : x; };
  return {rows(keys), rows(values)};
}

MultiheadAttention::MultiheadAttention(const MultiheadAttentionOptions& options, const Scope& scope)
    : Module(scope), out_proj(output_layer(options), {this, "out_proj"}), options_(checked(options)) {
  const std::int64_t size = options_.embed_dim, kept = options_.kv_heads * head_dim();
  if (options_.kdim == size && options_.vdim == size) {
    in_proj_weight = Weight(this, "in_proj_weight", Shape{size + 2 * kept, size}, init::xavier_uniform());
  } else {
    q_proj_weight = Weight(this, "q_proj_weight", Shape{size, size}, init::xavier_uniform());
    k_proj_weight = Weight(this, "k_proj_weight", Shape{kept, options_.kdim}, init::xavier_uniform());
    v_proj_weight = Weight(this, "v_proj_weight", Shape{kept, options_.vdim}, init::xavier_uniform());
  }
  if (options_.bias) in_proj_bias = Weight(this, "in_proj_bias", Shape{size + 2 * kept}, init::zeros());
  const auto distance = [this](std::int64_t otherwise) {
    return options_.max_distance == 0 ? otherwise : options_.max_distance;
  };
  switch (options_.positions) {
    case AttentionPositions::none:
    case AttentionPositions::alibi: break;
    case AttentionPositions::rotary:
      rotary.emplace(RotaryEmbeddingOptions{.base = options_.rotary_base}, Scope{this, "rotary"});
      break;
    case AttentionPositions::shaw:
      relative.emplace(RelativePositionsOptions{.head_dim = head_dim(), .max_distance = distance(16)}, Scope{this, "relative"});
      break;
    case AttentionPositions::t5:
      relative_bias.emplace(RelativeBiasOptions{.num_heads = options_.num_heads,
                                                .num_buckets = options_.num_buckets,
                                                .max_distance = distance(128),
                                                .bidirectional = options_.bidirectional},
                            Scope{this, "relative_bias"});
      break;
  }
  if (options_.max_span > 0)
    span.emplace(AdaptiveSpanOptions{.num_heads = options_.num_heads,
                                     .max_span = options_.max_span,
                                     .ramp = options_.span_ramp,
                                     .initial = options_.initial_span},
                 Scope{this, "span"});
}

// Keys or values of each group's one head for all of its query heads.
Var MultiheadAttention::for_each_head(const Var& x) const {
  const std::int64_t heads = options_.num_heads, kept = options_.kv_heads;
  if (kept == heads) return x;
  const Shape all{x.size(0), heads, x.size(2), x.size(3)};
  if (kept == 1) return expand(x, all);  // without a copy
  return reshape(expand(unsqueeze(x, 2), {x.size(0), kept, heads / kept, x.size(2), x.size(3)}), all);
}

bool MultiheadAttention::in_full() const { return options_.normaliser != Normaliser::softmax || relative || span; }

// What ALiBi or T5's positions add to the scores by distance; undefined without either.
Var MultiheadAttention::distance_bias(std::int64_t queries, std::int64_t keys, DType dtype) {
  if (relative_bias) return relative_bias->by_distance(queries, keys);
  return options_.positions == AttentionPositions::alibi ? Var(alibi_by_distance(options_.num_heads, queries, keys, dtype))
                                                         : Var();
}

// Rotary positions from `first` on, where there are some.
void MultiheadAttention::turn(Var& x, std::int64_t first) {
  if (rotary) x = (*rotary)(x, first);
}

// Query (0), key (1) or value (2) alone.
Var MultiheadAttention::projected(int which, const Var& x) const {
  const std::int64_t heads = which == 0 ? options_.num_heads : options_.kv_heads, size = heads * head_dim();
  const std::int64_t start = which == 0 ? 0 : options_.embed_dim + (which - 1) * size;
  const Weight* own[] = {&q_proj_weight, &k_proj_weight, &v_proj_weight};
  const Var weight = in_proj_weight.defined() ? slice(in_proj_weight, 0, start, start + size) : own[which]->var();
  const Var bias = in_proj_bias.defined() ? slice(in_proj_bias, 0, start, start + size) : Var();
  return in_heads(linear(x, weight, bias), heads);
}

// One product for both where they are made of one input.
AttentionCache MultiheadAttention::keys_and_values(const Var& key, const Var& value) const {
  if (!in_proj_weight.defined() || !same(key, value)) return {projected(1, key), projected(2, value)};
  const std::int64_t heads = options_.kv_heads, kept = heads * head_dim(), size = options_.embed_dim, end = size + 2 * kept;
  const Var bias = in_proj_bias.defined() ? slice(in_proj_bias, 0, size, end) : Var();
  const PoolVector<Var> parts = split(linear(key, slice(in_proj_weight, 0, size, end), bias), {kept, kept}, 2);
  return {in_heads(parts[0], heads), in_heads(parts[1], heads)};
}

MultiheadAttention::Heads MultiheadAttention::project(const Var& query, const Var& key, const Var& value) const {
  if (!in_proj_weight.defined() || !same(query, key) || !same(key, value)) {
    AttentionCache places = keys_and_values(key, value);
    return {projected(0, query), std::move(places.keys), std::move(places.values)};
  }
  const std::int64_t heads = options_.kv_heads, kept = heads * head_dim();
  const PoolVector<Var> parts = split(linear(query, in_proj_weight, in_proj_bias), {options_.embed_dim, kept, kept}, 2);
  return {in_heads(parts[0], options_.num_heads), in_heads(parts[1], heads), in_heads(parts[2], heads)};
}

MixingOutput MultiheadAttention::attend(const Heads& heads, const AttentionMask& mask, AttentionWeights weights,
                                        Padding padding) {
  const Heads all{heads.query, for_each_head(heads.key), for_each_head(heads.value)};
  const Var bias = distance_bias(all.query.size(2), all.key.size(2), all.query.dtype());
  const auto folded = [&](double dropout, bool need_weights) {
    return folded_attention(all.query, all.key, all.value, mask,
                            {.dropout = dropout, .need_weights = need_weights, .distance_bias = bias}, 1,
                            padding == Padding::finite ? Closed::finite : Closed::anything);
  };
  const AttentionResult result = in_full() ? attend_in_full(all, mask, bias, padding)
                                           : folded(training() ? options_.dropout : 0, weights != AttentionWeights::none);
  if (AttentionRecorder::alive()) {
    // Apart, where nobody else wants them: who looks at weights changes neither a bit of the output nor what the tape keeps.
    const NoGrad nothing_recorded;
    AttentionRecorder::record(*this, (result.weights.defined() ? result : folded(0, true)).weights.value());
  }
  return {out_proj(together(result.output)), weights == AttentionWeights::none       ? Var()
                                             : weights == AttentionWeights::averaged ? mean(result.weights, {1})
                                                                                     : result.weights};
}

// As scaled_dot_product_attention, by operations that make the weights in full.
AttentionResult MultiheadAttention::attend_in_full(const Heads& heads, const AttentionMask& mask, const Var& bias,
                                                   Padding padding) {
  const std::int64_t queries = heads.query.size(2), keys = heads.key.size(2);
  const Shape shape{heads.query.size(0), options_.num_heads, queries, keys};
  const Tensor allowed = checked_allowed(op, mask.allowed, shape),
               lengths = checked_lengths(op, mask.lengths, "key", heads.key.value(), 2),
               open = combined_mask(allowed, lengths, mask.causal, queries, keys);
  Var key = heads.key, value = heads.value;
  if (padding == Padding::anything && (allowed.defined() || lengths.defined())) clear_unseen(open, key, value);
  Var scores = matmul_transposed(heads.query, key);
  if (relative) scores = scores + (*relative)(heads.query, keys);
  scores = scores * (1 / std::sqrt(static_cast<double>(head_dim())));
  if (bias.defined()) scores = scores + spread(bias, queries, keys);
  Tensor seen = open;
  if (span) seen = open.defined() ? logical_and(open, span->in_sight(queries, keys)) : span->in_sight(queries, keys);
  Var weights = normalised(options_.normaliser, scores, seen);
  if (span) weights = (*span)(weights);
  const Var applied = training() ? dropout(weights, options_.dropout) : weights;
  const Var output = matmul(applied, value);
  return {relative ? output + relative->values(applied) : output, weights};
}

MixingOutput MultiheadAttention::forward(const Var& query, const Var& key, const Var& value, const AttentionMask& mask,
                                         AttentionWeights weights, Padding padding) {
  check_places(op, "query", query, options_.embed_dim, *out_proj.weight);
  check_places(op, "key", key, options_.kdim, *out_proj.weight);
  check_places(op, "value", value, options_.vdim, *out_proj.weight);
  check<ShapeError>(key.size(0) == query.size(0) && value.size(0) == query.size(0) && key.size(1) == value.size(1), op,
                    "query {}, key {} and value {} don't fit: one batch, and as many keys as values", query.value(),
                    key.value(), value.value());
  const auto attend_to = [&](const Var& q, const Var& k, const Var& v) {
    Heads heads = project(q, k, v);
    // The last query at the last key's place.
    turn(heads.query, std::max<std::int64_t>(k.size(1) - q.size(1), 0));
    turn(heads.key, std::max<std::int64_t>(q.size(1) - k.size(1), 0));
    // What lengths close is cleared, and so is what `allowed` closes in keys that aren't the queries.
    return attend(heads, mask, weights, mask.allowed.defined() ? Padding::anything : Padding::finite);
  };
  if (padding == Padding::finite || (!mask.lengths.defined() && (!mask.allowed.defined() || same(query, key))))
    return attend_to(query, key, value);
  // Before a product of the projections' gradients could meet a NaN.
  const Tensor open = mask.allowed.defined() && !same(query, key) ? open_to_any(query, key, mask.allowed) : Tensor();
  const auto cleared = [&](const Var& x) {
    const Var short_of_padding = without_padding(x, mask.lengths, op);
    return open.defined() ? where(open, short_of_padding, Var::scalar(0, x.dtype())) : short_of_padding;
  };
  const Var clean = cleared(key);
  return attend_to(same(query, key) ? clean : query, clean, same(value, key) ? clean : cleared(value));
}

// Keys that some query may attend to, bool [batch or 1, keys, 1]; undefined where those are all.
Tensor MultiheadAttention::open_to_any(const Var& query, const Var& key, const Tensor& mask) const {
  const Tensor allowed = checked_allowed(op, mask, Shape{query.size(0), options_.num_heads, query.size(1), key.size(1)}),
               open = any(allowed, {1, 2});
  return all(open).item() == 0 ? open.unsqueeze(2) : Tensor();
}

Var MultiheadAttention::mix(const Var& x, const AttentionMask& mask, Padding padding) {
  return (*this)(x, x, x, mask, AttentionWeights::none, padding).output;
}

AttentionCache MultiheadAttention::remember(const Var& key, const Var& value, const Tensor& lengths) {
  const ModuleScope scope(*this);
  check_places(op, "key", key, options_.kdim, *out_proj.weight);
  check_places(op, "value", value, options_.vdim, *out_proj.weight);
  check<ShapeError>(key.size(0) == value.size(0) && key.size(1) == value.size(1), op,
                    "key {} and value {} don't fit: one batch, and as many keys as values", key.value(), value.value());
  const Var clean = without_padding(key, lengths, op);
  AttentionCache places = keys_and_values(clean, same(key, value) ? clean : without_padding(value, lengths, op));
  turn(places.keys, 0);
  return places;
}

MixingOutput MultiheadAttention::forward(const Var& query, const AttentionCache& memory, const AttentionMask& mask,
                                         AttentionWeights weights, Padding padding) {
  check_places(op, "query", query, options_.embed_dim, *out_proj.weight);
  check<ValueError>(memory.keys.defined(), op, "there is nothing to attend to: the cache is empty");
  const std::int64_t rows = query.size(0), sentences = memory.keys.rank() > 0 ? memory.keys.size(0) : 0;
  check_memory(op, query, sentences, memory, cache_shape(options_));
  check<ShapeError>(sentences > 0 ? rows % sentences == 0 : rows == 0, op,
                    "query {} has not as many rows as the memory {}, nor a multiple of them", query.value(),
                    memory.keys.value());
  if (rows == sentences) {
    Var turned = projected(0, query);
    check<ValueError>(!rotary || memory.places() >= query.size(1), op,
                      "query {} is longer than the memory {}, whose last place is the last query's under rotary positions",
                      query.value(), memory.keys.value());
    turn(turned, memory.places() - query.size(1));
    return attend({turned, memory.keys, memory.values}, mask, weights, padding);
  }
  check<ValueError>(options_.positions == AttentionPositions::none && !span, op,
                    "positions and spans can't be for several rows of queries that share one of the memory ({} and {}); give "
                    "each its own with AttentionCache::select",
                    query.value(), memory.keys.value());
  // Rows of one sentence as further queries: a mask must not tell these apart.
  check<ValueError>(
      !mask.causal, op,
      "a causal mask can't be for several rows of queries that share one of the memory ({} and {}); give each its "
      "own with AttentionCache::select",
      query.value(), memory.keys.value());
  check<ValueError>(!mask.allowed.defined() || mask.allowed.rank() != 4 || mask.allowed.size(2) == 1, op,
                    "the mask {} has a dimension of queries, but several rows of queries share one of the memory ({} and {}); "
                    "give one for all queries, [batch, 1, 1, keys], or each row its own memory with AttentionCache::select",
                    mask.allowed, query.value(), memory.keys.value());
  const Var folded = reshape(query, {sentences, rows / sentences * query.size(1), query.size(2)});
  MixingOutput result = attend({projected(0, folded), memory.keys, memory.values}, mask, weights, padding);
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

MixingStep MultiheadAttention::step(const Var& x, const AttentionCache& cache) {
  return run([&]() -> MixingStep {
    check_places(op, "input", x, options_.embed_dim, *out_proj.weight);
    check<ValueError>(in_proj_weight.defined(), op,
                      "attention to itself needs keys and values of the queries' size {}, not {} and {}", options_.embed_dim,
                      options_.kdim, options_.vdim);
    check_cache(op, x, cache, cache_shape(options_));
    Heads heads = project(x, x, x);
    turn(heads.query, cache.places());
    turn(heads.key, cache.places());
    AttentionCache grown{behind(cache.keys, heads.key, 2), behind(cache.values, heads.value, 2)};
    Var output =
        attend({heads.query, grown.keys, grown.values}, {.causal = true}, AttentionWeights::none, Padding::anything).output;
    return {std::move(output), std::move(grown)};
  });
}

}  // namespace weft::nn
