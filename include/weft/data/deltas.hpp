#pragma once
#include <cstdint>

#include "weft/tensor/tensor.hpp"

namespace weft::data {

/// How features change over the frames, by regression: d[t] = sum_n n (x[t + n] - x[t - n]) / (2 sum_n n^2), n = 1 to `window`,
/// the first and last frame repeated beyond the ends. features f32 [frames, size] -> the same shape.
/// Throws ShapeError, DTypeError, ValueError for a window below 1.
Tensor deltas(const Tensor& features, std::int64_t window = 2);

/// The features with their deltas, the deltas' deltas and so on, `orders` of them, beside them: [frames, (1 + orders) size].
Tensor with_deltas(const Tensor& features, std::int64_t orders, std::int64_t window = 2);

/// `count` neighbouring frames as one: [frames, size] -> [frames / count rounded up, count size], zeros behind the end.
Tensor stack_frames(const Tensor& features, std::int64_t count);

}  // namespace weft::data
