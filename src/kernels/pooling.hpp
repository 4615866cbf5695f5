#pragma once
#include <array>

#include "weft/tensor/tensor.hpp"

namespace weft::kernels {

/// Windows over planes [planes, input] -> [planes, output]; pairs are height and width. Window i starts at row
/// i stride - padding; at least one of its elements lies within the plane.
struct Windows {
  std::int64_t planes;
  std::array<std::int64_t, 2> input, kernel, output, stride, padding;
  bool count_padding = true;  ///< an average divides by the elements of the kernel; otherwise by those within the plane
};

// f32 and f64, any strides. Each plane is one thread's: the same bits for any number of threads.

/// The largest element of each window, of equal ones the first, NaN where there is one; and its place in its plane (i64).
struct MaxPool {
  Tensor y, index;
};
MaxPool max_pool(const Tensor& x, const Windows& w);

/// The mean of each window, padding counting as zeros; and the transposed map, from y's gradient to x's.
Tensor avg_pool(const Tensor& x, const Windows& w);
Tensor avg_pool_transposed(const Tensor& g, const Windows& w);

/// y[p, k] = x[p, index[p, k]] for x [planes, places] and index [planes, k], or [1, k] for all planes; and the transposed map,
/// which adds up in the order of k. Indices are in range.
Tensor take_places(const Tensor& x, const Tensor& index);
Tensor add_at_places(const Tensor& g, const Tensor& index, std::int64_t places);

}  // namespace weft::kernels
