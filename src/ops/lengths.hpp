#pragma once
#include "weft/tensor/tensor.hpp"

namespace weft {

/// Lengths of the rows of x as i64, dense: integers [x.size(0)], each 0 to x.size(axis); undefined ones stay undefined. `name`
/// is what messages call x. Throws DTypeError, ShapeError, ValueError.
Tensor checked_lengths(const char* op, const Tensor& lengths, const char* name, const Tensor& x, int axis);

}  // namespace weft
