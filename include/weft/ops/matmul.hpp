#pragma once
#include "weft/autograd/var.hpp"

namespace weft {

/// a [..., m, k] times b [..., k, n] -> [..., m, n]; leading dimensions broadcast. Both at least two-dimensional.
/// Throws ShapeError naming both shapes, DTypeError.
Var matmul(const Var& a, const Var& b);

/// a [batch, m, k] times b [batch, k, n] -> [batch, m, n]; nothing broadcasts. Throws ShapeError, DTypeError.
Var bmm(const Var& a, const Var& b);
/// matrix [m, k] times vector [k] -> [m]. Throws ShapeError, DTypeError.
Var mv(const Var& matrix, const Var& vector);
/// The sum of the products of two vectors of one length -> scalar. Throws ShapeError, DTypeError.
Var dot(const Var& a, const Var& b);
/// a [m] and b [n] -> [m, n], the product of each with each. Throws ShapeError, DTypeError.
Var outer(const Var& a, const Var& b);

/// x [..., in] times weight [out, in] transposed, plus bias [out] where it is defined -> [..., out].
/// Throws ShapeError naming the shapes, DTypeError.
Var linear(const Var& x, const Var& weight, const Var& bias = {});

}  // namespace weft
