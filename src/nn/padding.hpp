#pragma once
#include "weft/autograd/var.hpp"

namespace weft::nn {

/// x [batch, places, size] with zeros behind each row's length (i64 or i32 [batch]; undefined: x itself).
/// Throws ShapeError, DTypeError, ValueError for lengths that don't fit.
Var without_padding(const Var& x, const Tensor& lengths, const char* op);

/// The same for lengths along any axis of x [batch, ...] but the first.
Var zeros_behind(const Var& x, const Tensor& lengths, int axis, const char* op);

}  // namespace weft::nn
