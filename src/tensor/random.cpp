#include "weft/base/random.hpp"

#include "base/draws.hpp"
#include "base/fail.hpp"
#include "weft/tensor/tensor.hpp"

namespace weft {
namespace {

template <class Pair>
Tensor drawn(const char* op, const Shape& shape, Generator& generator, DType dtype, const Pair& pair) {
  check<DTypeError>(is_floating(dtype), op, "random elements are f32 or f64, not {}", name_of(dtype));
  Tensor result = Tensor::empty(shape, dtype);
  const std::uint64_t seed = generator.seed(), position = generator.next();
  const auto fill = [&]<class T>(T* to) {
    for (std::int64_t i = 0; i < result.numel(); i += 2) {
      const detail::Draws draws = pair(detail::uniform_draws(seed, position, static_cast<std::uint64_t>(i) / 2));
      to[i] = static_cast<T>(draws.first);
      if (i + 1 < result.numel()) to[i + 1] = static_cast<T>(draws.second);
    }
  };
  dtype == f32 ? fill(result.mutable_data<float>()) : fill(result.mutable_data<double>());
  return result;
}

}  // namespace

Tensor Tensor::rand(const Shape& shape, Generator& generator, DType dtype) {
  // f32 has 24 bits: rounding the other 29 away downwards keeps 1 out.
  const auto cut = [](double u) { return std::floor(u * 0x1p24) * 0x1p-24; };
  if (dtype == f32)
    return drawn("Tensor::rand", shape, generator, dtype, [cut](detail::Draws u) {
      return detail::Draws{cut(u.first), cut(u.second)};
    });
  return drawn("Tensor::rand", shape, generator, dtype, [](detail::Draws u) { return u; });
}

Tensor Tensor::randn(const Shape& shape, Generator& generator, DType dtype) {
  return drawn("Tensor::randn", shape, generator, dtype, [](detail::Draws u) { return detail::normal_draws(u); });
}

}  // namespace weft
