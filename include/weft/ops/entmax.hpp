#pragma once
#include "weft/autograd/var.hpp"

namespace weft {

// Softmaxes whose weights may be exactly 0: the rest of a row shares 1. Over the places along `axis` where mask (bool,
// broadcast to x; undefined: all) is true; other places get 0 and their values, NaN included, reach neither results nor
// gradients; a row without places gets zeros. Exact, by sorting each row. A NaN, a +inf or nothing but -inf makes the row NaN.
// Second derivatives are those at a fixed support (which places aren't 0), which holds but where a place joins or leaves it.
// Throw IndexError, ShapeError, DTypeError.

/// The point of the simplex next to x: max(x - t, 0), with the t that makes it add up to 1 (Martins & Astudillo 2016).
Var sparsemax(const Var& x, int axis, const Tensor& mask = {});

/// max(x / 2 - t, 0)^2, with the t that makes it add up to 1: 1.5-entmax, between softmax and sparsemax (Peters et al. 2019).
Var entmax15(const Var& x, int axis, const Tensor& mask = {});

}  // namespace weft
