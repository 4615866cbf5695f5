#pragma once
#include <cstdint>

#include "weft/nn/module.hpp"
#include "weft/nn/weight.hpp"

namespace weft::nn {

// Positions by the distance j - i of a key at place j from a query at place i. The last query stands at the last key's place.

struct RelativePositionsOptions {
  std::int64_t head_dim = 0;
  std::int64_t max_distance = 16;  ///< k: what is farther counts as k
  Init weight_init = init::xavier_uniform();
};

/// Relative position representations (Shaw et al. 2018): a learned vector for each distance -k to k, added to the keys and
/// another added to the values, shared by all heads:
///   score(i, j) = q_i . (k_j + a_key[j - i]),  output(i) = sum_j weight(i, j) (v_j + a_value[j - i])
class RelativePositions : public Module<RelativePositions> {
 public:
  /// Throws ValueError for a head_dim or max_distance below 1.
  explicit RelativePositions(const RelativePositionsOptions& options, const Scope& scope = {});

  /// What the scores of `keys` keys grow by, q_i . a_key[j - i]: query [batch, heads, queries, head_dim] -> [batch, heads,
  /// queries, keys]. Throws ShapeError, ValueError for negative keys.
  Var forward(const Var& query, std::int64_t keys);
  /// What the outputs grow by, sum_j weight(i, j) a_value[j - i]: weights [batch, heads, queries, keys] -> [batch, heads,
  /// queries, head_dim]. Throws ShapeError.
  Var values(const Var& weights);

  Weight key, value;  ///< [2 max_distance + 1, head_dim], row d + max_distance for distance d

 private:
  Var rows(const Weight& weight, std::int64_t queries, std::int64_t keys) const;

  std::int64_t head_dim_, max_distance_;
};

struct RelativeBiasOptions {
  std::int64_t num_heads = 0;
  std::int64_t num_buckets = 32;
  std::int64_t max_distance = 128;  ///< from there on all distances share the last bucket
  bool bidirectional = true;        ///< half of the buckets for keys behind the query; otherwise these share one
  Init weight_init = init::normal(0, 0.02);
};

/// T5's relative position bias (Raffel et al. 2020): a learned number for each head and bucket of distances, added to the
/// score. Near distances have a bucket each, farther ones share buckets that grow with the logarithm. (Here each layer has its
/// own; T5's layers share one.)
class RelativeBias : public Module<RelativeBias> {
 public:
  /// Throws ValueError for sizes that can't be: heads below 1, buckets below 2 (4 if bidirectional) or odd ones if
  /// bidirectional, a max_distance that isn't above the distances with a bucket each.
  explicit RelativeBias(const RelativeBiasOptions& options, const Scope& scope = {});

  /// [1, heads, queries, keys]. Throws ValueError for a negative count.
  Var forward(std::int64_t queries, std::int64_t keys);
  /// The same by the key's distance from the query, as scaled_dot_product_attention takes it: [heads, queries + keys - 1].
  Var by_distance(std::int64_t queries, std::int64_t keys);
  /// The bucket of a distance.
  std::int64_t bucket(std::int64_t distance) const;

  Weight weight;  ///< [num_buckets, num_heads]

 private:
  RelativeBiasOptions options_;
};

}  // namespace weft::nn
