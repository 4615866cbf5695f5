#pragma once
#include "weft/autograd/var.hpp"

namespace weft {

// Comparisons and what is made of them: results are bool tensors, which have no derivative. Operands broadcast as in NumPy
// and have one dtype; a double adapts, and must be whole for integers. NaN equals nothing and is in no order.
// Throw ShapeError, DTypeError and ValueError naming the function and the operands.

Tensor eq(const Var& a, const Var& b);
Tensor eq(const Var& a, double b);
Tensor ne(const Var& a, const Var& b);
Tensor ne(const Var& a, double b);
Tensor lt(const Var& a, const Var& b);
Tensor lt(const Var& a, double b);
Tensor le(const Var& a, const Var& b);
Tensor le(const Var& a, double b);
Tensor gt(const Var& a, const Var& b);
Tensor gt(const Var& a, double b);
Tensor ge(const Var& a, const Var& b);
Tensor ge(const Var& a, double b);

Tensor isnan(const Var& x);
Tensor isinf(const Var& x);
/// Neither NaN nor infinite.
Tensor isfinite(const Var& x);

/// Of bool tensors, which broadcast.
Tensor logical_and(const Tensor& a, const Tensor& b);
Tensor logical_or(const Tensor& a, const Tensor& b);
Tensor logical_xor(const Tensor& a, const Tensor& b);
Tensor logical_not(const Tensor& x);

}  // namespace weft
