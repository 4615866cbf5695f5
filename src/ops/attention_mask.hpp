#pragma once
#include "weft/ops/attention.hpp"

namespace weft {

/// A mask's `allowed` with four dimensions, or undefined. Throws DTypeError, ShapeError unless it broadcasts to `weights`,
/// [batch, heads, queries, keys].
Tensor checked_allowed(const char* op, const Tensor& allowed, const Shape& weights);

/// All of a mask, bool, broadcasts to [batch, heads, queries, keys], from what checked_allowed and checked_lengths gave.
Tensor combined_mask(const Tensor& allowed, const Tensor& lengths, bool causal, std::int64_t queries, std::int64_t keys);

}  // namespace weft
