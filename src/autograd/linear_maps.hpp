#pragma once
#include "weft/autograd/var.hpp"

namespace weft::maps {

// Linear maps in pairs, each the other's derivative: what the engine itself needs on a tape when backward is recorded.

/// a + b of one shape.
Var add_same(const Var& a, const Var& b);
/// Sum over the dimensions along which `shape` was broadcast; and back.
Var sum_to(const Var& x, const Shape& shape);
Var expand(const Var& x, const Shape& shape);
/// x[start, stop) along axis; and x put at `start` into zeros whose axis has `size`.
Var slice(const Var& x, int axis, std::int64_t start, std::int64_t stop);
Var unslice(const Var& x, int axis, std::int64_t start, std::int64_t size);
/// Rows of a table [rows, ...] by index (any shape); and rows added up into zeros [rows, ...].
Var gather_rows(const Var& table, const Tensor& index);
Var scatter_rows(const Var& rows, const Tensor& index, std::int64_t count);

}  // namespace weft::maps
