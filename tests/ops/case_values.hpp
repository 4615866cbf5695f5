#pragma once
#include <cmath>

#include "weft/tensor/tensor.hpp"

namespace weft::test {

/// Distinct f64 values spread over (low, high); another `start` gives others. None is within 0.05 of 0, where many functions
/// have a kink.
inline Tensor spread(const Shape& shape, double low, double high, double start = 0.5) {
  Tensor result = Tensor::empty(shape, f64);
  auto* x = result.mutable_data<double>();
  for (std::int64_t i = 0; i < result.numel(); ++i) {
    const double place = start + 0.6180339887498949 * static_cast<double>(i);
    x[i] = low + (high - low) * (place - std::floor(place));
    if (std::abs(x[i]) < 0.05) x[i] += x[i] < 0 ? -0.05 : 0.05;
  }
  return result;
}

/// Views of the given shape: of a transposed tensor, of every second element, from the middle, and from back to front.
/// `shape` has two dimensions.
inline Tensor transposed(const Shape& shape, double low, double high, double start = 0.5) {
  return spread({shape[1], shape[0]}, low, high, start).transpose(0, 1);
}
inline Tensor strided(const Shape& shape, double low, double high, double start = 0.5) {
  return spread({shape[0], shape[1], 2}, low, high, start).select(2, 1);
}
inline Tensor sliced(const Shape& shape, double low, double high, double start = 0.5) {
  return spread({shape[0] + 2, shape[1] + 3}, low, high, start).slice(0, 1, shape[0] + 1).slice(1, 2, shape[1] + 2);
}
inline Tensor flipped(const Shape& shape, double low, double high, double start = 0.5) {
  return spread(shape, low, high, start).flip(1);
}

/// Every third place is closed, and where there is more than one row the whole of the second.
inline Tensor mask_of(const Shape& shape) {
  Tensor mask = Tensor::empty(shape, boolean);
  bool* open = mask.mutable_data<bool>();
  const std::int64_t columns = shape.back();
  for (std::int64_t i = 0; i < mask.numel(); ++i) open[i] = i % 3 != 2 && (mask.numel() == columns || i / columns != 1);
  return mask;
}

}  // namespace weft::test
