#pragma once
#include <cstdint>

#include "weft/autograd/var.hpp"

namespace weft {

// Of matrices [..., rows, columns] of any dtype. Diagonal 0 is the main one, k > 0 lies above it, k < 0 below.

/// What stands on the diagonal and below it (tril), or on it and above (triu); 0 elsewhere, whatever stood there.
/// tril(Tensor::ones({t, t}, boolean)) lets each of t steps see itself and those before. Throws ShapeError below rank 2.
Var tril(const Var& x, std::int64_t diagonal = 0);
Var triu(const Var& x, std::int64_t diagonal = 0);

/// A view of the diagonal of axes a (rows) and b (columns), as the last axis behind those that stay.
/// Throws IndexError for axes that are out of range or one.
Var diagonal(const Var& x, std::int64_t offset = 0, int a = 0, int b = 1);

}  // namespace weft
