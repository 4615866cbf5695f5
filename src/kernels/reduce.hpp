#pragma once
#include <span>

#include "weft/tensor/tensor.hpp"

namespace weft::kernels {

enum class Reduction { sum, max, logsumexp };

/// Reduces over `axes` (sorted, distinct, in range); they stay with size 1 or go. Any strides. Sums of no elements are 0,
/// a maximum of none is an error of the caller's, logsumexp of none is -inf. Sums of integers and bool are i64.
/// Fixed chunks: the same bits for any thread count.
Tensor reduce(Reduction reduction, const Tensor& x, std::span<const int> axes, bool keepdim = true);

/// Sum over the dimensions along which `shape` broadcasts to x's shape.
Tensor sum_to(const Tensor& x, const Shape& shape);

/// Index of the first maximum along `axis`, i64, the axis gone. NaN counts as the maximum.
Tensor argmax(const Tensor& x, int axis);

namespace reference {
Tensor reduce(Reduction reduction, const Tensor& x, std::span<const int> axes, bool keepdim = true);
}

}  // namespace weft::kernels
