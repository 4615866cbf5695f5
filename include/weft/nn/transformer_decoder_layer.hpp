#pragma once
#include "weft/nn/transformer_encoder_layer.hpp"

namespace weft::nn {

/// What one call of TransformerDecoderLayer::step gives.
struct TransformerDecoderLayerStep {
  Var output;            ///< [rows, new places, d_model]
  AttentionCache cache;  ///< of the self-attention, with the new places
  Var weights;           ///< of the attention to the memory, as asked for
};

/// Causal or other self-attention, attention to a memory and a feed-forward part, each with a residual connection and layer
/// normalisation, with PyTorch's parameter names and first values. Masks say true where a query may attend; a mask that is
/// given takes the place of the causal one: AttentionMask{.lengths = lengths, .causal = true}.
class TransformerDecoderLayer : public Module<TransformerDecoderLayer> {
 public:
  /// Throws what the parts refuse, ValueError for positions, a normaliser or a span of another mixing than attention.
  explicit TransformerDecoderLayer(const TransformerLayerOptions& options, const Scope& scope = {});

  /// x [batch, places, d_model], memory [batch, memory places, d_model] -> as x. What stands behind the lengths of either
  /// counts as zeros.
  Var forward(const Var& x, const Var& memory, const AttentionMask& mask = {.causal = true},
              const AttentionMask& memory_mask = {}, Padding padding = Padding::anything);

  /// New places x [rows, new, d_model] behind those of the cache, which they see: what forward gives there under a causal
  /// mask. `memory` is what multihead_attn.remember made, with as many rows or one for several next to each other, and
  /// `memory_mask` one for these new places.
  TransformerDecoderLayerStep step(const Var& x, const AttentionCache& cache, const AttentionCache& memory,
                                   const AttentionMask& memory_mask = {}, AttentionWeights weights = AttentionWeights::none);

  std::unique_ptr<PlaceMixing> self_attn;  ///< MultiheadAttention, or as `mixing` says
  MultiheadAttention multihead_attn;
  Linear linear1, linear2;
  LayerNorm norm1, norm2, norm3;

 private:
  Var feed_forward(const Var& x);

  Dropout dropout_;
  TransformerActivation activation_;
  bool norm_first_;
};

}  // namespace weft::nn
