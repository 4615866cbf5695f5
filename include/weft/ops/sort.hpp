#pragma once
#include <cstdint>

#include "weft/autograd/var.hpp"

namespace weft {

// Order along one axis. NaN counts as the largest; equal elements keep their order. Any dtype.
// Throw IndexError for an axis out of range, ValueError for an undefined input.

struct SortResult {
  Var values;
  Tensor indices;  ///< i64: values are gather(x, axis, indices)
};

/// The elements in ascending or descending order.
SortResult sort(const Var& x, int axis = -1, bool descending = false);
/// Its indices.
Tensor argsort(const Var& x, int axis = -1, bool descending = false);
/// The k largest or smallest elements, in that order if `sorted`, else in any. Throws ValueError for k out of range.
SortResult topk(const Var& x, std::int64_t k, int axis = -1, bool largest = true, bool sorted = true);

}  // namespace weft
