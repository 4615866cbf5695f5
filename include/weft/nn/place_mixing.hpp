#pragma once
#include <cstdint>

#include "weft/ops/attention.hpp"

namespace weft::nn {

/// What stands behind the lengths: anything, NaN included, or only what is finite and needn't be cleared.
enum class Padding : std::uint8_t { anything, finite };

/// What is kept of the places so far for those that come later. Undefined ones have none yet.
struct AttentionCache {
  /// Of attention [rows, key heads, places, head_dim]; other mixings keep in these two what they need, one row a row.
  Var keys, values;
  /// Of attention: how many places there are.
  std::int64_t places() const { return keys.defined() ? keys.size(2) : 0; }
  /// The rows `index` (i64 or i32), for a beam search.
  AttentionCache select(const Tensor& index) const;
};

/// Which weights are given beside the output: none, their mean over the heads, or those of each head.
enum class AttentionWeights : std::uint8_t { none, averaged, per_head };

struct MixingOutput {
  Var output;   ///< [batch, queries, size]
  Var weights;  ///< [batch, queries, keys] or [batch, heads, queries, keys], before dropout; undefined unless asked for
};

/// What one step of a mixing gives.
struct MixingStep {
  Var output;  ///< [rows, new places, size]
  AttentionCache cache;
};

/// What lets the places of a Transformer's layer see each other: attention to itself, a convolution, a recurrence.
class PlaceMixing {
 public:
  virtual ~PlaceMixing() = default;
  /// x [batch, places, size] -> the same, under a mask of [batch, heads, places, places].
  virtual Var mix(const Var& x, const AttentionMask& mask, Padding padding) = 0;
  /// New places x [rows, new places, size] behind those of the cache: what `mix` gives there under a causal mask.
  virtual MixingStep step(const Var& x, const AttentionCache& cache) = 0;
};

}  // namespace weft::nn
