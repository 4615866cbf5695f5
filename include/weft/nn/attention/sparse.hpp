#pragma once
#include <cstdint>
#include <optional>
#include <vector>

#include "weft/nn/linear.hpp"
#include "weft/nn/module.hpp"
#include "weft/nn/place_mixing.hpp"
#include "weft/nn/weight.hpp"

namespace weft::nn::attention {

/// Which places one attends to in self-attention, for a reach l (Child et al. 2019): block: those of its block of l; strided:
/// every l-th, counted from itself; window: itself and l on each side.
enum class SparsePattern : std::uint8_t { block, strided, window };

/// The pattern as bool [places, places], rows are queries: for a picture, or, with two dimensions of 1 before these, as
/// AttentionMask::allowed where the whole square may be paid for. Throws ValueError for a reach below 1 or negative places.
Tensor sparse_mask(SparsePattern pattern, std::int64_t places, std::int64_t reach, bool causal);

struct SparseAttentionOptions {
  SparsePattern pattern = SparsePattern::block;
  std::int64_t reach = 0;            ///< l, 1 at least
  bool causal = true;                ///< of the pattern, what isn't behind the query
  Tensor lengths = {};               ///< places of each row, i64 or i32 [batch]; undefined: all
  std::optional<double> scale = {};  ///< on query . key; 1 / sqrt(head_dim) where none is given
  double dropout = 0;                ///< on the weights
  bool need_weights = false;         ///< give the weights too, which makes the whole square
};

/// scaled_dot_product_attention of query, key and value [batch, heads, places, size] within a pattern. Cost follows the reach:
/// time and memory go with places * l (block), places^2 / l (strided), places * 3 l (window; 2 l where causal), since queries
/// and keys are put together block by block. The result is that of sparse_mask to rounding. What stands behind a length, NaN
/// included, reaches nothing; with block and strided, causality likewise as there.
/// Throws ShapeError, DTypeError, ValueError.
AttentionResult sparse_attention(const Var& query, const Var& key, const Var& value, const SparseAttentionOptions& options);

struct SparseSelfAttentionOptions {
  std::int64_t embed_dim = 0;
  std::int64_t num_heads = 0;  ///< divides embed_dim
  std::int64_t reach = 0;      ///< l of all patterns, near the square root of the places for the least cost
  /// The heads are shared out evenly, in order; two of them connect all places in two steps.
  std::vector<SparsePattern> patterns = {SparsePattern::window, SparsePattern::strided};
  double dropout = 0;  ///< on the weights, below 1
  bool bias = true;
  std::optional<Init> weight_init = {};  ///< of out_proj; none: PyTorch's
};

/// Self-attention in several heads, each within a pattern, with MultiheadAttention's parameters. Patterns are causal under a
/// causal mask.
class SparseSelfAttention : public Module<SparseSelfAttention>, public PlaceMixing {
 public:
  /// Throws ValueError for sizes, a reach or patterns that can't be.
  explicit SparseSelfAttention(const SparseSelfAttentionOptions& options, const Scope& scope = {});

  /// x [batch, places, embed_dim]; what stands behind the lengths counts as zeros. The weights, where they are asked for, are
  /// made in full. Throws ShapeError, DTypeError, ValueError for lengths that don't fit or a mask with `allowed`, which
  /// patterns can't follow.
  MixingOutput forward(const Var& x, const AttentionMask& mask = {}, AttentionWeights weights = AttentionWeights::none,
                       Padding padding = Padding::anything);

  Var mix(const Var& x, const AttentionMask& mask, Padding padding) override;
  /// Each new place looks only at what its patterns reach. Keeps keys and values [rows, heads, places, head_dim] of all places.
  MixingStep step(const Var& x, const AttentionCache& cache) override;

  Weight in_proj_weight;  ///< [3 embed_dim, embed_dim], of query, key and value
  Weight in_proj_bias;    ///< [3 embed_dim], or none
  Linear out_proj;

 private:
  struct Heads {
    Var query, key, value;  // [batch, heads, places, head_dim]
  };
  Heads project(const Var& x) const;
  void record_step(const Var& query, const AttentionCache& kept) const;
  std::int64_t heads_of_each() const { return options_.num_heads / static_cast<std::int64_t>(options_.patterns.size()); }

  SparseSelfAttentionOptions options_;
};

}  // namespace weft::nn::attention
