#pragma once
#include "weft/nn/linear.hpp"

namespace weft::nn::attention {

inline LinearOptions unbiased(std::int64_t in, std::int64_t out) {
  return {.in_features = in, .out_features = out, .bias = false};
}

/// The sum of each query with each key: query [batch, n, hidden], keys [batch, places, hidden] -> [batch, n, places,
/// hidden].
Var each_with_each(const Var& query, const Var& keys);

}  // namespace weft::nn::attention
