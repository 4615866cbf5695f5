#pragma once
#include <optional>

#include "weft/autograd/var.hpp"

namespace weft {

/// Which keys a query may attend to: those that all three let through. True means may, as in masked_softmax.
struct AttentionMask {
  Tensor allowed = {};  ///< bool [batch or 1, heads or 1, queries or 1, keys or 1], always all four; undefined: all
  Tensor lengths = {};  ///< keys of each row, i64 or i32 [batch], 0 to keys; undefined: all
  bool causal = false;  ///< the last query sees the last key, the one before it all but that, ...: keys may go before queries
};

struct AttentionOptions {
  std::optional<double> scale = {};  ///< on query . key; 1 / sqrt(head_dim) where none is given
  double dropout = 0;                ///< on the weights, as the operation `dropout` does it
  bool need_weights = false;         ///< give the weights too, which makes them in full
  /// [heads, queries + keys - 1]: added to the scores by the key's distance from the query, -(keys - 1) to queries - 1 in this
  /// order, where the last query stands at the last key's place (Raffel et al. 2020; nn::alibi_by_distance). Undefined:
  /// nothing.
  Var distance_bias = {};
};

struct AttentionResult {
  Var output;   ///< [batch, heads, queries, value_dim]
  Var weights;  ///< [batch, heads, queries, keys] before dropout; undefined unless they were asked for
};

/// softmax(scale query . key + bias) value over the keys that the mask lets through (Vaswani et al. 2017), for query
/// [batch, heads, queries, head_dim], key [batch, heads, keys, head_dim] and value [batch, heads, keys, value_dim], any
/// strides. Without `need_weights` or a recorded backward pass the weights never stand in memory all at once. The output's
/// memory is [batch, queries, heads, value_dim], so that heads join without a copy. A query without keys gets zeros. Keys and
/// values behind their row's length or allowed to no query may hold anything, NaN included: they reach nothing. One that is
/// closed to some queries only, by `allowed` or as a later one by `causal`, has the weight 0 there; if it is NaN or infinite, 0
/// times it may be NaN in these queries' outputs and gradients too, by block. In f32 weights below
/// about e^-64 of a query's largest count as 0. Throws ShapeError, DTypeError, ValueError for lengths, a scale or a probability
/// that can't be.
AttentionResult scaled_dot_product_attention(const Var& query, const Var& key, const Var& value, const AttentionMask& mask = {},
                                             const AttentionOptions& options = {});

}  // namespace weft
