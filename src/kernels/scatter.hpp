#pragma once
#include "weft/tensor/tensor.hpp"

namespace weft::kernels {

// For axis 1: target[i][index[i][k][j]][j] gets source[i][k][j], in the order of k whatever the thread count. target: dense, of
// index's rank, no smaller beside the axis; index: i64, every element checked to be within the axis; source: of index's shape
// and target's dtype. Strides of index (0 too) and source are free.

/// Adds. Any dtype but bool.
void scatter_add(Tensor& target, int axis, const Tensor& index, const Tensor& source);
/// Overwrites; the last of several stays.
void scatter(Tensor& target, int axis, const Tensor& index, const Tensor& source);

namespace reference {
void scatter_add(Tensor& target, int axis, const Tensor& index, const Tensor& source);
void scatter(Tensor& target, int axis, const Tensor& index, const Tensor& source);
}  // namespace reference

}  // namespace weft::kernels
