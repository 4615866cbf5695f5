#include "weft/nn/transformer_decoder_layer.hpp"

#include "nn/padding.hpp"
#include "nn/transformer_parts.hpp"

namespace weft::nn {

TransformerDecoderLayer::TransformerDecoderLayer(const TransformerLayerOptions& options, const Scope& scope)
    : Module(scope),
      self_attn(mixing("TransformerDecoderLayer", options, true, {this, "self_attn"})),
      multihead_attn(attention_options(options), {this, "multihead_attn"}),
      linear1(widening(options), {this, "linear1"}),
      linear2(narrowing(options), {this, "linear2"}),
      norm1(norm_options(options), {this, "norm1"}),
      norm2(norm_options(options), {this, "norm2"}),
      norm3(norm_options(options), {this, "norm3"}),
      dropout_({.p = options.dropout}, {this, "dropout"}),
      activation_(options.activation),
      norm_first_(options.norm_first) {}

Var TransformerDecoderLayer::feed_forward(const Var& x) {
  return residual(x, norm3, norm_first_,
                  [&](const Var& y) { return nn::feed_forward(y, linear1, linear2, dropout_, activation_); });
}

Var TransformerDecoderLayer::forward(const Var& x, const Var& memory, const AttentionMask& mask,
                                     const AttentionMask& memory_mask, Padding padding) {
  constexpr const char* op = "TransformerDecoderLayer";
  const bool finite = padding == Padding::finite;
  const Var clean = finite ? x : without_padding(x, mask.lengths, op);
  const Var places = finite ? memory : without_padding(memory, memory_mask.lengths, op);
  const Var itself =
      residual(clean, norm1, norm_first_, [&](const Var& y) { return dropout_(self_attn->mix(y, mask, Padding::finite)); });
  const Var attended = residual(itself, norm2, norm_first_, [&](const Var& y) {
    const Padding closed = memory_mask.allowed.defined() ? Padding::anything : Padding::finite;  // lengths are cleared
    return dropout_(multihead_attn(y, places, places, memory_mask, AttentionWeights::none, closed).output);
  });
  return feed_forward(attended);
}

TransformerDecoderLayerStep TransformerDecoderLayer::step(const Var& x, const AttentionCache& cache,
                                                          const AttentionCache& memory, const AttentionMask& memory_mask,
                                                          AttentionWeights weights) {
  return run([&] {
    TransformerDecoderLayerStep result;
    const Var itself = residual(
        x, norm1, norm_first_, [&](const Var& y) { return self_attention_step(*self_attn, y, cache, dropout_, result.cache); });
    const Var attended = residual(itself, norm2, norm_first_, [&](const Var& y) {
      MixingOutput to_memory = multihead_attn(y, memory, memory_mask, weights);
      result.weights = std::move(to_memory.weights);
      return dropout_(to_memory.output);
    });
    result.output = feed_forward(attended);
    return result;
  });
}

}  // namespace weft::nn
