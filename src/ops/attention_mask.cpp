#include "ops/attention_mask.hpp"

#include "base/fail.hpp"
#include "ops/mask_dtype.hpp"
#include "weft/ops/comparison.hpp"
#include "weft/ops/elementwise.hpp"
#include "weft/ops/index.hpp"
#include "weft/ops/reduce.hpp"
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
  Tensor mask = allowed;
  const auto close = [&](const Tensor& open) { mask = mask.defined() ? logical_and(mask, open) : open; };
  if (causal) close(tril(Tensor::ones({1, 1, queries, keys}, boolean), keys - queries).value());
  if (lengths.defined()) close(sequence_mask(lengths, keys).unsqueeze(1).unsqueeze(1));
  return mask;
}

void clear_unseen(const Tensor& open, Var& key, Var& value) {
  const Tensor seen = any(open, {-2}, true).transpose(-2, -1);
  if (all(seen).item() != 0) return;
  const Var zero = Var::scalar(0, key.dtype());
  key = where(seen, key, zero);
  value = where(seen, value, zero);
}

}  // namespace weft
