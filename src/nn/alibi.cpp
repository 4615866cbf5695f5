#include "weft/nn/alibi.hpp"

#include <algorithm>
#include <cmath>
#include <cstdlib>

#include "base/fail.hpp"
#include "ops/distances.hpp"

namespace weft::nn {

Tensor alibi_slopes(std::int64_t heads, DType dtype) {
  check<ValueError>(heads > 0, "alibi", "{} heads; one at least is needed", heads);
  check<DTypeError>(is_floating(dtype), "alibi", "no slopes in {}; f32 or f64 is needed", name_of(dtype));
  std::int64_t power = 1;
  while (2 * power <= heads) power *= 2;
  Tensor slopes = Tensor::empty({heads}, f64);
  auto* slope = slopes.mutable_data<double>();
  for (std::int64_t h = 0; h < heads; ++h) {
    // Behind the power of 2 the exponents that the finer sequence has between.
    const double step = h < power ? static_cast<double>(h + 1) : static_cast<double>(2 * (h - power) + 1) / 2;
    slope[h] = std::exp2(-8 * step / static_cast<double>(power));
  }
  return slopes.to(dtype);
}

Tensor alibi_by_distance(std::int64_t heads, std::int64_t queries, std::int64_t keys, DType dtype) {
  check_distances("alibi", queries, keys);
  check<DTypeError>(is_floating(dtype), "alibi", "no slopes in {}; f32 or f64 is needed", name_of(dtype));
  const Tensor slopes = alibi_slopes(heads, f64);
  const std::int64_t count = std::max<std::int64_t>(queries + keys - 1, 0);
  Tensor bias = Tensor::empty({heads, count}, f64);
  auto* to = bias.mutable_data<double>();
  for (std::int64_t h = 0; h < heads; ++h)
    for (std::int64_t i = 0; i < count; ++i) *to++ = -slopes.data<double>()[h] * static_cast<double>(std::abs(i - (keys - 1)));
  return bias.to(dtype);
}

Tensor alibi(std::int64_t heads, std::int64_t queries, std::int64_t keys, DType dtype) {
  return spread(alibi_by_distance(heads, queries, keys, dtype), queries, keys).value().unsqueeze(0).contiguous();
}

}  // namespace weft::nn
