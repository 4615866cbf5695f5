#pragma once
#include <cstdint>
#include <initializer_list>
#include <limits>

#include "weft/tensor/tensor.hpp"

namespace weft::test {

/// i64 [rows]
inline Tensor lengths_of(std::initializer_list<std::int64_t> lengths) {
  return Tensor::from(lengths, {static_cast<std::int64_t>(lengths.size())});
}

/// A copy of x [rows, ...] with NaN behind each row's length along `axis`.
inline Tensor with_nan_behind(const Tensor& x, std::initializer_list<std::int64_t> lengths, int axis = 1) {
  Tensor result = x.clone();
  std::int64_t row = 0;
  for (const std::int64_t length : lengths) {
    Tensor behind = result.select(0, row++).slice(axis - 1, length, x.size(axis));
    behind.fill(std::numeric_limits<double>::quiet_NaN());
  }
  return result;
}

}  // namespace weft::test
