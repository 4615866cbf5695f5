#pragma once
#include "weft/nn/attention/attention.hpp"

namespace weft::nn::attention {

// Attention over the cells of an image (Xu et al. 2015): a grid of features is a memory of height * width places, for any kind.
//   const AttentionMemory memory = remember_grid(attention, features);
//   const AttentionOutput out = attention(query, memory);
//   const Var where = on_grid(out.weights, features.size(2), features.size(3));

/// features [batch, channels, height, width] as keys and values, place = row * width + column; mask bool [batch, height, width]
/// or undefined. Throws ShapeError, DTypeError, ValueError.
AttentionMemory remember_grid(Attention& attention, const Var& features, const Tensor& mask = {});

/// Weights [rows, queries, height * width] as [rows, queries, height, width]. Throws ShapeError.
Var on_grid(const Var& weights, std::int64_t height, std::int64_t width);

}  // namespace weft::nn::attention
