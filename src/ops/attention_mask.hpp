#pragma once
#include "weft/ops/attention.hpp"

namespace weft {

/// A mask's `allowed`, or undefined. Throws DTypeError, ShapeError unless it has the four dimensions of `weights`, [batch,
/// heads, queries, keys], each of that size or 1: with fewer, [batch, keys] could be taken for [queries, keys].
Tensor checked_allowed(const char* op, const Tensor& allowed, const Shape& weights);

/// All of a mask, bool, broadcasts to [batch, heads, queries, keys], from what checked_allowed and checked_lengths gave;
/// undefined where nothing is closed.
Tensor combined_mask(const Tensor& allowed, const Tensor& lengths, bool causal, std::int64_t queries, std::int64_t keys);

/// Zeros for keys and values [..., keys, size] that `open` [..., queries or 1, keys or 1] closes to every query, before a
/// product could meet a NaN there.
void clear_unseen(const Tensor& open, Var& key, Var& value);

}  // namespace weft
