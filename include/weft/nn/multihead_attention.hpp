#pragma once
#include <cstdint>

#include "weft/nn/linear.hpp"
#include "weft/nn/module.hpp"
#include "weft/ops/attention.hpp"

namespace weft::nn {

struct MultiheadAttentionOptions {
  std::int64_t embed_dim = 0;
  std::int64_t num_heads = 0;  ///< divides embed_dim
  double dropout = 0;          ///< on the weights, below 1
  bool bias = true;
  std::int64_t kdim = 0, vdim = 0;       ///< sizes of keys and values; 0: embed_dim
  std::optional<Init> weight_init = {};  ///< of out_proj; none: PyTorch's
};

/// Which attention weights are given beside the output: none, their mean over the heads, or those of each head.
enum class AttentionWeights : std::uint8_t { none, averaged, per_head };

/// What stands behind the lengths: anything, NaN included, or only what is finite and needn't be cleared.
enum class Padding : std::uint8_t { anything, finite };

struct MultiheadAttentionOutput {
  Var output;   ///< [batch, queries, embed_dim]
  Var weights;  ///< [batch, queries, keys] or [batch, heads, queries, keys], before dropout; undefined unless asked for
};

/// Keys and values as the heads see them, kept for queries that come later. Undefined ones have no places yet.
struct AttentionCache {
  Var keys, values;  ///< [rows, heads, places, head_dim]
  std::int64_t places() const { return keys.defined() ? keys.size(2) : 0; }
  /// The rows `index` (i64 or i32), for a beam search.
  AttentionCache select(const Tensor& index) const;
};

/// What one call of MultiheadAttention::step gives.
struct MultiheadAttentionStep {
  Var output;  ///< [rows, new places, embed_dim]
  AttentionCache cache;
};

/// Attention in several heads (Vaswani et al. 2017) with PyTorch's parameter names and first values. The batch is always
/// first. Masks say true where a query may attend, the other way round than nn.MultiheadAttention's; a mask of keys alone,
/// bool [batch, keys], is given as AttentionMask{.allowed = mask.unsqueeze(1).unsqueeze(1)}, or by their lengths:
///   Var y = attention(x, x, x, AttentionMask{.lengths = lengths, .causal = true}).output;  // a call takes no bare braces
/// Where lengths are given, what stands behind them counts as zeros, in the queries too where they are the keys.
class MultiheadAttention : public Module<MultiheadAttention> {
 public:
  /// Throws ValueError for sizes that aren't positive, heads that don't divide embed_dim, or a dropout outside [0, 1).
  explicit MultiheadAttention(const MultiheadAttentionOptions& options, const Scope& scope = {});

  /// query [batch, queries, embed_dim], key [batch, keys, kdim], value [batch, keys, vdim].
  MultiheadAttentionOutput forward(const Var& query, const Var& key, const Var& value, const AttentionMask& mask = {},
                                   AttentionWeights weights = AttentionWeights::none, Padding padding = Padding::anything);
  /// The same over what `remember` kept. The query may have several rows, next to each other, for each of the cache's; the
  /// mask is then one of the cache's rows for all queries (ValueError for causal ones or an `allowed` that tells queries
  /// apart).
  MultiheadAttentionOutput forward(const Var& query, const AttentionCache& memory, const AttentionMask& mask = {},
                                   AttentionWeights weights = AttentionWeights::none);

  /// Keys and values for many queries. What stands behind the lengths counts as zeros.
  AttentionCache remember(const Var& key, const Var& value, const Tensor& lengths = {});
  /// Self-attention of new places to those of the cache and to themselves, causally.
  MultiheadAttentionStep step(const Var& x, const AttentionCache& cache);

  Weight in_proj_weight;                               ///< [3 embed_dim, embed_dim], of query, key and value; or none and
  Weight q_proj_weight, k_proj_weight, v_proj_weight;  ///< [embed_dim, embed_dim / kdim / vdim] where sizes differ
  Weight in_proj_bias;                                 ///< [3 embed_dim], or none
  Linear out_proj;

 private:
  struct Heads {
    Var query, key, value;
  };
  Heads project(const Var& query, const Var& key, const Var& value) const;
  AttentionCache keys_and_values(const Var& key, const Var& value) const;
  Var projected(int which, const Var& x) const;
  Var in_heads(const Var& x) const;
  MultiheadAttentionOutput attend(const Heads& heads, const AttentionMask& mask, AttentionWeights weights);

  MultiheadAttentionOptions options_;
};

}  // namespace weft::nn
