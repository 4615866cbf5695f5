#pragma once
#include <cstdint>

#include "weft/tensor/tensor.hpp"

namespace weft::test {

/// Uniform in [low, high), a function of shape and seed.
Tensor uniform(const Shape& shape, double low, double high, std::uint64_t seed, DType dtype = f64);
/// 0 to bound - 1.
Tensor integers(const Shape& shape, std::int64_t bound, std::uint64_t seed, DType dtype = i64);
/// True with probability p.
Tensor coins(const Shape& shape, double p, std::uint64_t seed);

/// x's values in another dtype under the same strides, in a buffer of its own: a view stays the view that it is.
Tensor same_layout(const Tensor& x, DType dtype);

/// The largest |x|, 0 where there is none; NaN where there is one.
double largest(const Tensor& x);
/// The largest |a - b|. Equal infinities differ by 0, as do two NaNs. Throws ShapeError where the shapes differ.
double largest_difference(const Tensor& a, const Tensor& b);

}  // namespace weft::test
