#pragma once
#include <cstdint>
#include <optional>

#include "weft/nn/linear.hpp"
#include "weft/nn/module.hpp"
#include "weft/nn/place_mixing.hpp"
#include "weft/nn/weight.hpp"

namespace weft::nn {

struct ConvMixing;  // what the two share, inside of the library

/// Of lightweight and dynamic convolutions.
struct ConvMixingOptions {
  std::int64_t embed_dim = 0;
  std::int64_t num_heads = 0;            ///< divides embed_dim; the channels of a head share their weights
  std::int64_t kernel_size = 7;          ///< places that one sees, itself included
  double dropout = 0;                    ///< on the weights (DropConnect), below 1
  bool bias = true;                      ///< of the linear layers
  std::optional<Init> weight_init = {};  ///< of the linear layers; none: PyTorch's
};

/// Lightweight convolution (Wu et al. 2019), for attention's place: a linear layer to twice the size and a gate (GLU), a
/// depthwise convolution whose weights, one kernel for each head, are normalised by softmax, and a linear layer:
///   y[t] = sum_k softmax(weight[h])[k] x[t + k - left]
/// Under a causal mask a place sees itself and the kernel_size - 1 before it, otherwise (kernel_size - 1) / 2 before and the
/// rest behind. What stands behind the lengths counts as zeros; what comes out there is finite and means nothing.
class LightweightConv : public Module<LightweightConv>, public PlaceMixing {
 public:
  /// Throws ValueError for sizes that aren't positive, heads that don't divide embed_dim or a dropout outside [0, 1).
  explicit LightweightConv(const ConvMixingOptions& options, const Scope& scope = {});

  /// x [batch, places, embed_dim]. Weights are those of places for each other, 0 beyond the kernel. Throws ShapeError,
  /// DTypeError, ValueError for lengths that don't fit or a mask with `allowed`, which a kernel can't follow.
  MixingOutput forward(const Var& x, const AttentionMask& mask = {}, AttentionWeights weights = AttentionWeights::none,
                       Padding padding = Padding::anything);

  Var mix(const Var& x, const AttentionMask& mask, Padding padding) override;
  /// Keeps the last kernel_size - 1 places.
  MixingStep step(const Var& x, const AttentionCache& cache) override;

  Linear linear1;  ///< embed_dim -> 2 embed_dim
  Weight weight;   ///< [num_heads, kernel_size]
  Linear linear2;  ///< embed_dim -> embed_dim

 private:
  ConvMixing mixing();

  ConvMixingOptions options_;
};

}  // namespace weft::nn
