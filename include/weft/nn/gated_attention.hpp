#pragma once
#include <cstdint>
#include <optional>

#include "weft/nn/linear.hpp"
#include "weft/nn/module.hpp"
#include "weft/nn/place_mixing.hpp"
#include "weft/nn/weight.hpp"

namespace weft::nn {

struct GatedAttentionUnitOptions {
  std::int64_t embed_dim = 0;
  std::int64_t hidden = 0;     ///< e: of values and gates; 0: twice embed_dim
  std::int64_t key_dim = 128;  ///< s: of queries and keys
  double dropout = 0;          ///< on the weights, below 1
  bool bias = true;
  std::optional<Init> weight_init = {};  ///< of the linear layers; none: PyTorch's
};

/// Gated attention unit (Hua et al. 2022): attention with one head inside of a gated linear unit, for a layer's attention and
/// its feed-forward part at once:
///   u = silu(W_u x), v = silu(W_v x), z = silu(W_z x), q = gamma_0 z + beta_0, k = gamma_1 z + beta_1
///   weight(i, j) = relu(q_i . k_j / n)^2,  out(i) = W_o (u_i * sum_j weight(i, j) v_j)
/// n is the number of keys that query i may attend to; the paper's is the length, which it is without a mask. Weights don't add
/// up to 1. Positions are the input's.
class GatedAttentionUnit : public Module<GatedAttentionUnit>, public PlaceMixing {
 public:
  /// Throws ValueError for sizes that aren't positive or a dropout outside [0, 1).
  explicit GatedAttentionUnit(const GatedAttentionUnitOptions& options, const Scope& scope = {});

  /// x [batch, places, embed_dim]; the mask as of attention with one head. What stands behind the lengths counts as zeros.
  /// Weights are [batch, places, places] or [batch, 1, places, places]. Throws ShapeError, DTypeError, ValueError.
  MixingOutput forward(const Var& x, const AttentionMask& mask = {}, AttentionWeights weights = AttentionWeights::none,
                       Padding padding = Padding::anything);

  Var mix(const Var& x, const AttentionMask& mask, Padding padding) override;
  /// Keeps keys [rows, 1, places, key_dim] and values [rows, 1, places, hidden].
  MixingStep step(const Var& x, const AttentionCache& cache) override;

  Linear in_proj;      ///< W_u, W_v and W_z: embed_dim -> 2 hidden + key_dim
  Weight gamma, beta;  ///< [2, key_dim]
  Linear out_proj;     ///< W_o: hidden -> embed_dim

 private:
  struct Parts {
    Var gate, query, key, value;  // [batch, places, hidden or key_dim]
  };
  Parts parts(const Var& x);
  MixingOutput attend(const Parts& parts, const AttentionMask& mask);

  GatedAttentionUnitOptions options_;
};

}  // namespace weft::nn
