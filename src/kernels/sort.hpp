#pragma once
#include "weft/tensor/tensor.hpp"

namespace weft::kernels {

/// Where the elements in order along `axis` stand, i64 of x's shape. NaN counts as the largest; equal elements keep their
/// order. Any dtype and strides; rank 1 at least.
Tensor argsort(const Tensor& x, int axis, bool descending);
/// The first k of them, 0 <= k <= the size of `axis`; unless `sorted` in any order.
Tensor topk(const Tensor& x, std::int64_t k, int axis, bool descending, bool sorted);

}  // namespace weft::kernels
