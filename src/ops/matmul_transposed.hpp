#pragma once
#include "weft/ops/matmul.hpp"

namespace weft {

/// A B^T of [..., m, k] and [..., n, k] of one batch. Unlike in matmul(a, transpose(b, -1, -2)) all uses of B make one product
/// of its gradient.
Var matmul_transposed(const Var& a, const Var& b);

}  // namespace weft
