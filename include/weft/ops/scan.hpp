#pragma once
#include "weft/autograd/var.hpp"

namespace weft {

/// Sums of the elements up to and with each one along `axis`, of x's shape; of integers and bool i64.
/// Throws IndexError for an axis out of range, ValueError for an undefined input.
Var cumsum(const Var& x, int axis);

}  // namespace weft
