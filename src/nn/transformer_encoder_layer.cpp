#include "weft/nn/transformer_encoder_layer.hpp"

#include "nn/padding.hpp"
#include "nn/transformer_parts.hpp"

namespace weft::nn {

TransformerEncoderLayer::TransformerEncoderLayer(const TransformerLayerOptions& options, const Scope& scope)
    : Module(scope),
      self_attn(mixing("TransformerEncoderLayer", options, false, {this, "self_attn"})),
      linear1(widening(options), {this, "linear1"}),
      linear2(narrowing(options), {this, "linear2"}),
      norm1(norm_options(options), {this, "norm1"}),
      norm2(norm_options(options), {this, "norm2"}),
      dropout_({.p = options.dropout}, {this, "dropout"}),
      activation_(options.activation),
      norm_first_(options.norm_first) {}

Var TransformerEncoderLayer::feed_forward(const Var& x) {
  return residual(x, norm2, norm_first_,
                  [&](const Var& y) { return nn::feed_forward(y, linear1, linear2, dropout_, activation_); });
}

Var TransformerEncoderLayer::forward(const Var& x, const AttentionMask& mask, Padding padding) {
  const Var clean = padding == Padding::finite ? x : without_padding(x, mask.lengths, "TransformerEncoderLayer");
  return feed_forward(
      residual(clean, norm1, norm_first_, [&](const Var& y) { return dropout_(self_attn->mix(y, mask, Padding::finite)); }));
}

MixingStep TransformerEncoderLayer::step(const Var& x, const AttentionCache& cache) {
  return run([&] {
    MixingStep result;
    const Var attended = residual(
        x, norm1, norm_first_, [&](const Var& y) { return self_attention_step(*self_attn, y, cache, dropout_, result.cache); });
    result.output = feed_forward(attended);
    return result;
  });
}

}  // namespace weft::nn
