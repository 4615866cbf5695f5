#include "support/random.hpp"

#include <cmath>
#include <cstddef>

#include "weft/base/error.hpp"
#include "weft/base/random.hpp"

namespace weft::test {

Tensor uniform(const Shape& shape, double low, double high, std::uint64_t seed, DType dtype) {
  Tensor result = Tensor::empty(shape, f64);
  Generator generator(seed);
  double* x = result.mutable_data<double>();
  for (std::int64_t i = 0; i < result.numel(); ++i) x[i] = low + (high - low) * generator.uniform();
  return result.to(dtype);
}

Tensor integers(const Shape& shape, std::int64_t bound, std::uint64_t seed, DType dtype) {
  Tensor result = Tensor::empty(shape, i64);
  Generator generator(seed);
  std::int64_t* x = result.mutable_data<std::int64_t>();
  for (std::int64_t i = 0; i < result.numel(); ++i)
    x[i] = static_cast<std::int64_t>(generator.below(static_cast<std::uint64_t>(bound)));
  return result.to(dtype);
}

Tensor coins(const Shape& shape, double p, std::uint64_t seed) {
  Tensor result = Tensor::empty(shape, boolean);
  Generator generator(seed);
  bool* x = result.mutable_data<bool>();
  for (std::int64_t i = 0; i < result.numel(); ++i) x[i] = generator.uniform() < p;
  return result;
}

Tensor same_layout(const Tensor& x, DType dtype) {
  if (x.numel() == 0) return Tensor::empty(x.shape(), dtype);
  std::int64_t below = 0, above = 0;  // how far the elements reach from the first
  for (int i = 0; i < x.rank(); ++i) {
    const std::int64_t reach = (x.shape()[i] - 1) * x.strides()[static_cast<std::size_t>(i)];
    (reach < 0 ? below : above) += reach;
  }
  Tensor result = Tensor::empty({above - below + 1}, dtype).view(x.shape(), x.strides(), -below);
  result.copy_from(x);
  return result;
}

double largest(const Tensor& x) { return largest_difference(x, Tensor::zeros(x.shape(), x.dtype())); }

double largest_difference(const Tensor& a, const Tensor& b) {
  if (a.shape() != b.shape()) throw ShapeError("largest_difference: " + a.describe() + " and " + b.describe());
  const Tensor left = a.to(f64).contiguous(), right = b.to(f64).contiguous();
  double result = 0;
  for (std::int64_t i = 0; i < left.numel(); ++i) {
    const double x = left.data<double>()[i], y = right.data<double>()[i];
    if (x == y || (std::isnan(x) && std::isnan(y))) continue;
    const double difference = std::abs(x - y);
    if (std::isnan(difference)) return difference;
    result = std::max(result, difference);
  }
  return result;
}

}  // namespace weft::test
