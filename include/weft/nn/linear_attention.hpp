#pragma once
#include <cstdint>
#include <optional>

#include "weft/nn/linear.hpp"
#include "weft/nn/module.hpp"
#include "weft/nn/place_mixing.hpp"

namespace weft::nn {

/// What makes the features of queries and keys, none below 0: elu(x) + 1 (Katharopoulos et al. 2020), relu(x).
enum class FeatureMap : std::uint8_t { elu, relu };

struct LinearAttentionOptions {
  std::int64_t embed_dim = 0;
  std::int64_t num_heads = 0;  ///< divides embed_dim
  FeatureMap feature_map = FeatureMap::elu;
  bool bias = true;
  std::optional<Init> weight_init = {};  ///< none: PyTorch's
};

/// Linear attention (Katharopoulos et al. 2020): weights phi(q) . phi(k) instead of exp(q . k), so that sums over the keys are
/// made once for all queries:
///   out(i) = phi(q_i) sum_j phi(k_j) v_j^T / (phi(q_i) . sum_j phi(k_j))
/// in time and memory that grow with the length alone. Under a causal mask the sums go over the keys up to i, as a recurrence
/// whose state, [head_dim, head_dim] a head, is all that decoding keeps. A query without weights gets out_proj's bias.
class LinearAttention : public Module<LinearAttention>, public PlaceMixing {
 public:
  /// Throws ValueError for sizes that aren't positive or heads that don't divide embed_dim.
  explicit LinearAttention(const LinearAttentionOptions& options, const Scope& scope = {});

  /// query [batch, queries, embed_dim], key and value [batch, keys, embed_dim]; what stands behind the lengths counts for
  /// nothing. The weights, where they are asked for, are made in full. Throws ShapeError (a causal mask needs as many queries
  /// as keys), DTypeError, ValueError for lengths that don't fit or a mask with `allowed`, which sums can't follow.
  MixingOutput forward(const Var& query, const Var& key, const Var& value, const AttentionMask& mask = {},
                       AttentionWeights weights = AttentionWeights::none, Padding padding = Padding::anything);

  Var mix(const Var& x, const AttentionMask& mask, Padding padding) override;
  /// Keeps the sums: values [rows, heads, head_dim, head_dim], keys [rows, heads, 1, head_dim].
  MixingStep step(const Var& x, const AttentionCache& cache) override;

  Linear q_proj, k_proj, v_proj, out_proj;

 private:
  Var features(const Var& x) const;

  LinearAttentionOptions options_;
};

}  // namespace weft::nn
