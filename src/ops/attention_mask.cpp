#include "ops/attention_mask.hpp"

#include "base/fail.hpp"
#include "ops/mask_dtype.hpp"
#include "weft/ops/comparison.hpp"
#include "weft/ops/index.hpp"
#include "weft/ops/triangle.hpp"

namespace weft {

Tensor checked_allowed(const char* op, const Tensor& allowed, const Shape& weights) {
  if (!allowed.defined()) return {};
  check_mask_dtype(op, "the mask", allowed);
  const auto fits = [&] {
    if (allowed.rank() != 4) return false;
    for (int axis = 0; axis < 4; ++axis)
      if (allowed.size(axis) != 1 && allowed.size(axis) != weights.size(axis)) return false;
    return true;
  };
  check<ShapeError>(fits(), op,
                    "the mask {} isn't [batch, heads, queries, keys] = {}, each that size or 1; give one of each row's keys, "
                    "[batch, keys], as mask.unsqueeze(1).unsqueeze(1) or by lengths, one of [queries, keys] as "
                    "mask.unsqueeze(0).unsqueeze(0)",
                    allowed.shape(), weights);
  return allowed;
}

Tensor combined_mask(const Tensor& allowed, const Tensor& lengths, bool causal, std::int64_t queries, std::int64_t keys) {
  Tensor mask = allowed.defined() ? allowed : Tensor::ones({1, 1, 1, 1}, boolean);
  if (causal) mask = logical_and(mask, tril(Tensor::ones({queries, keys}, boolean), keys - queries).value());
  if (lengths.defined()) mask = logical_and(mask, sequence_mask(lengths, keys).unsqueeze(1).unsqueeze(1));
  return mask;
}

}  // namespace weft
