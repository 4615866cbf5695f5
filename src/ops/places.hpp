#pragma once
#include "weft/autograd/var.hpp"

namespace weft {

/// y[p, k] = x[p, index[p, k]] for x [planes, places] and index (i64, in range) [planes, k], or [1, k] for all planes;
/// derivatives of every order. `y` is the value where it is known already, in any shape.
Var take_places(const char* op, const Var& x, const Tensor& index, Tensor y = {});

}  // namespace weft
