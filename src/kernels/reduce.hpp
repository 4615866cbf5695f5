#pragma once
#include <span>

#include "weft/tensor/tensor.hpp"

namespace weft::kernels {

enum class Reduction { sum, prod, max, min, norm, logsumexp };  // norm: the square root of the sum of squares

/// Reduces over `axes` (sorted, distinct, in range); they stay with size 1 or go. Any strides. Of no elements a sum and a
/// norm are 0, a product is 1, a logsumexp is -inf, and a maximum or minimum is the caller's error (but for bool: false,
/// true). Sums and products of integers and bool are i64. Fixed chunks: the same bits for any thread count.
Tensor reduce(Reduction reduction, const Tensor& x, std::span<const int> axes, bool keepdim = true);

/// Sum over the dimensions along which `shape` broadcasts to x's shape.
Tensor sum_to(const Tensor& x, const Shape& shape);

/// Index of the first maximum or minimum along `axis`, i64, the axis gone. NaN counts as either.
Tensor argmax(const Tensor& x, int axis);
Tensor argmin(const Tensor& x, int axis);

namespace reference {
Tensor reduce(Reduction reduction, const Tensor& x, std::span<const int> axes, bool keepdim = true);
}

}  // namespace weft::kernels
