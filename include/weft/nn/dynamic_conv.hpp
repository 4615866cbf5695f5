#pragma once
#include "weft/nn/lightweight_conv.hpp"

namespace weft::nn {

/// Dynamic convolution (Wu et al. 2019): a lightweight convolution whose kernels are made at each place, of what stands there:
///   y[t] = sum_k softmax(W x[t])[h, k] x[t + k - left]
/// Everything else is as in LightweightConv.
class DynamicConv : public Module<DynamicConv>, public PlaceMixing {
 public:
  /// Throws ValueError as LightweightConv.
  explicit DynamicConv(const ConvMixingOptions& options, const Scope& scope = {});

  /// x [batch, places, embed_dim]; throws as LightweightConv.
  MixingOutput forward(const Var& x, const AttentionMask& mask = {}, AttentionWeights weights = AttentionWeights::none,
                       Padding padding = Padding::anything);

  Var mix(const Var& x, const AttentionMask& mask, Padding padding) override;
  /// Keeps the last kernel_size - 1 places.
  MixingStep step(const Var& x, const AttentionCache& cache) override;

  Linear linear1;        ///< embed_dim -> 2 embed_dim
  Linear weight_linear;  ///< W: embed_dim -> num_heads kernel_size, without bias
  Linear linear2;        ///< embed_dim -> embed_dim

 private:
  Var kernels(const Var& gated);
  ConvMixing mixing();

  ConvMixingOptions options_;
};

}  // namespace weft::nn
