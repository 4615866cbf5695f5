#pragma once
#include "weft/autograd/var.hpp"

namespace weft {

/// (x - mean) / sqrt(variance + eps) * weight + bias over the last dimension n of x [..., n] (Ba 2016); weight and bias [n] or
/// undefined. The variance is that of the row, divided by n. Throws ShapeError, DTypeError, ValueError for eps < 0,
/// NumericError for a constant row where eps is 0.
Var layer_norm(const Var& x, const Var& weight = {}, const Var& bias = {}, double eps = 1e-5);

}  // namespace weft
