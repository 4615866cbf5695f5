#include "weft/nn/rotary_embedding.hpp"

#include <cmath>

#include "base/fail.hpp"
#include "nn/places.hpp"
#include "weft/ops/elementwise.hpp"
#include "weft/ops/shape.hpp"

namespace weft::nn {

RotaryEmbedding::RotaryEmbedding(const RotaryEmbeddingOptions& options, const Scope& scope)
    : Module(scope), table_(options.base) {
  check<ValueError>(std::isfinite(options.base) && options.base > 1, "RotaryEmbedding",
                    "base is {}; it must be finite and above 1", options.base);
}

Var RotaryEmbedding::forward(const Var& x, std::int64_t first) {
  constexpr const char* op = "RotaryEmbedding";
  check<ValueError>(x.defined(), op, "the input isn't given");
  check<ShapeError>(x.rank() >= 2 && x.size(-1) > 0 && x.size(-1) % 2 == 0, op,
                    "input {} is not [..., places, size] with an even size", x.value());
  const std::int64_t places = x.size(-2), half = x.size(-1) / 2;
  const std::int64_t end = checked_end(op, first, places);
  const Tensor angles = table_.rows(first, end, x.size(-1), x.dtype()).reshape({places, half, 2});
  const Var sines = angles.select(2, 0), cosines = angles.select(2, 1);
  const Shape pairs = x.shape().with(x.rank() - 1, half).with_inserted(x.rank(), 2);
  const Var apart = reshape(x, pairs), even = select(apart, -1, 0), odd = select(apart, -1, 1);
  return reshape(stack({even * cosines - odd * sines, even * sines + odd * cosines}, x.rank()), x.shape());
}

}  // namespace weft::nn
