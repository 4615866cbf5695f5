#pragma once
#include <memory>

#include "base/fail.hpp"
#include "weft/nn/dynamic_conv.hpp"
#include "weft/nn/lightweight_conv.hpp"
#include "weft/nn/linear_attention.hpp"
#include "weft/nn/transformer_encoder_layer.hpp"
#include "weft/ops/activation.hpp"
#include "weft/ops/elementwise.hpp"

namespace weft::nn {

// What encoder and decoder layers share.

inline MultiheadAttentionOptions attention_options(const TransformerLayerOptions& o) {
  return {
      .embed_dim = o.d_model, .num_heads = o.nhead, .dropout = o.dropout, .weight_init = o.weight_init, .kv_heads = o.kv_heads};
}
/// What mixes the places of one sequence. `causal`: it is meant for causal masks.
inline std::unique_ptr<PlaceMixing> mixing(const char* op, const TransformerLayerOptions& o, bool causal, const Scope& scope) {
  check<ValueError>(o.mixing == Mixing::attention || o.positions == AttentionPositions::none, op,
                    "positions of attention can't be for another mixing; add positions to the input");
  const ConvMixingOptions conv{.embed_dim = o.d_model,
                               .num_heads = o.nhead,
                               .kernel_size = o.kernel_size,
                               .dropout = o.dropout,
                               .weight_init = o.weight_init};
  switch (o.mixing) {
    case Mixing::light: return std::make_unique<LightweightConv>(conv, scope);
    case Mixing::dynamic: return std::make_unique<DynamicConv>(conv, scope);
    case Mixing::linear:
      return std::make_unique<LinearAttention>(
          LinearAttentionOptions{.embed_dim = o.d_model, .num_heads = o.nhead, .weight_init = o.weight_init}, scope);
    case Mixing::attention: break;
  }
  MultiheadAttentionOptions attention = attention_options(o);
  attention.positions = o.positions;
  attention.bidirectional = !causal;
  return std::make_unique<MultiheadAttention>(attention, scope);
}
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

inline Var feed_forward(const Var& x, Linear& linear1, Linear& linear2, Dropout& dropout, TransformerActivation activation) {
  const Var wide = linear1(x);
  return dropout(linear2(dropout(activation == TransformerActivation::relu ? relu(wide) : gelu(wide))));
}

}  // namespace weft::nn
