#pragma once
#include "base/fail.hpp"
#include "nn/unbiased.hpp"
#include "weft/ops/elementwise.hpp"
#include "weft/ops/shape.hpp"

namespace weft::nn::attention {

/// An option's value. Throws ValueError naming kind and option unless it is positive.
inline std::int64_t positive(const char* kind, const char* option, std::int64_t value) {
  check<ValueError>(value > 0, kind, "{} is {}; it must be positive", option, value);
  return value;
}

/// The sum of each query with each key: query [batch, n, hidden], keys [batch, places, hidden] -> [batch, n, places,
/// hidden].
inline Var each_with_each(const Var& query, const Var& keys) { return unsqueeze(query, 2) + unsqueeze(keys, 1); }

}  // namespace weft::nn::attention
