#pragma once
#include "weft/autograd/var.hpp"

namespace weft {

/// a [..., m, k] times b [..., k, n] -> [..., m, n]; leading dimensions broadcast. Both at least two-dimensional.
/// Throws ShapeError naming both shapes, DTypeError.
Var matmul(const Var& a, const Var& b);

/// x [..., in] times weight [out, in] transposed, plus bias [out] where it is defined -> [..., out].
/// Throws ShapeError naming the shapes, DTypeError.
Var linear(const Var& x, const Var& weight, const Var& bias = {});

}  // namespace weft
