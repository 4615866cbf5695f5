#pragma once
#include "weft/tensor/tensor.hpp"

namespace weft::kernels {

// Over the last dimension, where mask (bool, broadcast to x; undefined: all) is true; 0 elsewhere and where a row has no
// places. A NaN, a +inf or nothing but -inf makes the row NaN. f32 or f64; x is made dense where it isn't.

/// max(x - t, 0), with the t that makes it add up to 1.
Tensor sparsemax(const Tensor& x, const Tensor& mask);
/// max(x / 2 - t, 0)^2, likewise.
Tensor entmax15(const Tensor& x, const Tensor& mask);

}  // namespace weft::kernels
