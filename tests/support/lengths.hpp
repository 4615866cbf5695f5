#pragma once
#include <cstdint>
#include <initializer_list>
#include <limits>

#include "weft/ops/elementwise.hpp"
#include "weft/ops/reduce.hpp"
#include "weft/ops/shape.hpp"
#include "weft/tensor/tensor.hpp"

namespace weft::test {

/// i64 [rows]
inline Tensor lengths_of(std::initializer_list<std::int64_t> lengths) {
  return Tensor::from(lengths, {static_cast<std::int64_t>(lengths.size())});
}

/// A copy of x [rows, ...] with NaN behind each row's length (i64 [rows]) along `axis`.
inline Tensor with_nan_behind(const Tensor& x, const Tensor& lengths, int axis = 1) {
  Tensor result = x.clone();
  for (std::int64_t row = 0; row < lengths.numel(); ++row) {
    Tensor behind = result.select(0, row).slice(axis - 1, lengths.data<std::int64_t>()[row], x.size(axis));
    behind.fill(std::numeric_limits<double>::quiet_NaN());
  }
  return result;
}
inline Tensor with_nan_behind(const Tensor& x, std::initializer_list<std::int64_t> lengths, int axis = 1) {
  return with_nan_behind(x, lengths_of(lengths), axis);
}

/// Sum of x's squares [rows, steps, ...] before each row's length: a loss that padding is no part of.
inline Var squares_within(const Var& x, const Tensor& lengths) {
  Var total = Var::scalar(0, x.dtype());
  for (std::int64_t row = 0; row < lengths.numel(); ++row)
    total = total + sum(square(slice(select(x, 0, row), 0, 0, lengths.data<std::int64_t>()[row])));
  return total;
}

}  // namespace weft::test
