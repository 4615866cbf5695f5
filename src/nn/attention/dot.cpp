#include "weft/nn/attention/dot.hpp"

#include <cmath>

#include "base/fail.hpp"
#include "weft/ops/elementwise.hpp"
#include "weft/ops/matmul.hpp"
#include "weft/ops/shape.hpp"

namespace weft::nn::attention {

Dot::Dot(const DotOptions& options, const Scope& scope)
    : Attention("attention::Dot", {}, {options.normaliser, options.dropout}, scope), scaled_(options.scaled) {}

Var Dot::prepare(const Var& keys) { return transpose(keys, 1, 2); }

Var Dot::scores(const Var& query, const Var& keys) {
  const std::int64_t size = keys.size(1);
  if (query.size(2) != size)
    fail<ShapeError>(kind(), "query {} and keys {} differ in size", query.value(), keys.value().transpose(1, 2));
  if (scaled_ && size == 0)
    fail<ShapeError>(kind(), "keys {} have the size 0; the scale 1 / sqrt(size) doesn't exist", keys.value().transpose(1, 2));
  const Var raw = matmul(query, keys);
  return scaled_ ? raw * (1 / std::sqrt(static_cast<double>(size))) : raw;
}

}  // namespace weft::nn::attention
