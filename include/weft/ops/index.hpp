#pragma once
#include "weft/autograd/var.hpp"

namespace weft {

/// The elements index[0], index[1], ... (i32 or i64, one-dimensional) along `axis`; repeated ones add up their gradients.
/// Throws IndexError naming the place of an index outside the axis, ShapeError, DTypeError.
Var index_select(const Var& x, int axis, const Tensor& index);

/// result[i][j][k] = x[i][index[i][j][k]][k] for axis 1, as torch.gather: index (i32 or i64) has x's rank, and beside `axis`
/// no size above x's. The result has index's shape. Throws IndexError, ShapeError, DTypeError.
Var gather(const Var& x, int axis, const Tensor& index);

}  // namespace weft
