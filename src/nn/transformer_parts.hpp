#pragma once
#include <memory>
#include <utility>

#include "weft/nn/transformer_encoder_layer.hpp"
#include "weft/ops/activation.hpp"
#include "weft/ops/elementwise.hpp"

namespace weft::nn {

// What encoder and decoder layers share.

MultiheadAttentionOptions attention_options(const TransformerLayerOptions& o);
/// What mixes the places of one sequence. `causal`: it is meant for causal masks.
std::unique_ptr<PlaceMixing> mixing(const char* op, const TransformerLayerOptions& o, bool causal, const Scope& scope);

inline LinearOptions widening(const TransformerLayerOptions& o) {
  return {.in_features = o.d_model, .out_features = o.dim_feedforward, .weight_init = o.weight_init};
}
inline LinearOptions narrowing(const TransformerLayerOptions& o) {
  return {.in_features = o.dim_feedforward, .out_features = o.d_model, .weight_init = o.weight_init};
}
inline LayerNormOptions norm_options(const TransformerLayerOptions& o) {
  return {.normalized_shape = o.d_model, .eps = o.layer_norm_eps};
}

/// x + part(norm(x)) or norm(x + part(x)).
template <class Part>
Var residual(const Var& x, LayerNorm& norm, bool norm_first, const Part& part) {
  return norm_first ? x + part(norm(x)) : norm(x + part(x));
}

/// One step of a layer's attention to itself; `after`: the cache with it.
inline Var self_attention_step(PlaceMixing& mixing, const Var& x, const AttentionCache& cache, Dropout& dropout,
                               AttentionCache& after) {
  MixingStep step = mixing.step(x, cache);
  after = std::move(step.cache);
  return dropout(step.output);
}

inline Var feed_forward(const Var& x, Linear& linear1, Linear& linear2, Dropout& dropout, TransformerActivation activation) {
  const Var wide = linear1(x);
  return dropout(linear2(dropout(activation == TransformerActivation::relu ? relu(wide) : gelu(wide))));
}

}  // namespace weft::nn
