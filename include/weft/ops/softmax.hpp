#pragma once
#include "weft/autograd/var.hpp"

namespace weft {

/// exp(x) / sum exp(x) along `axis`, shifted by the maximum. A NaN, a +inf or nothing but -inf makes the row NaN.
Var softmax(const Var& x, int axis);
/// log of it.
Var log_softmax(const Var& x, int axis);

/// Softmax over the last axis where mask (bool, broadcast to x) is true. Other places get 0 and their values, NaN included,
/// reach neither results nor gradients; a row without places gets zeros. Throws ShapeError, DTypeError.
Var masked_softmax(const Var& x, const Tensor& mask);

}  // namespace weft
