#include "nn/padding.hpp"

#include <algorithm>

#include "base/fail.hpp"
#include "ops/lengths.hpp"
#include "weft/ops/elementwise.hpp"
#include "weft/ops/index.hpp"

namespace weft::nn {

Var without_padding(const Var& x, const Tensor& lengths, const char* op) {
  if (!lengths.defined()) return x;
  check<ShapeError>(x.rank() == 3, op, "input {} is not [batch, places, size]", x.value());
  return zeros_behind(x, lengths, 1, op);
}

Var zeros_behind(const Var& x, const Tensor& lengths, int axis, const char* op) {
  if (!lengths.defined()) return x;
  const Tensor ends = checked_lengths(op, lengths, "input", x.value(), axis);
  const std::int64_t places = x.size(axis), *end = ends.data<std::int64_t>();
  if (std::all_of(end, end + ends.numel(), [places](std::int64_t e) { return e == places; })) return x;
  Tensor within = sequence_mask(ends, places);
  for (int i = 1; i < axis; ++i) within = within.unsqueeze(1);
  while (within.rank() < x.rank()) within = within.unsqueeze(-1);
  return where(within, x, Var::scalar(0, x.dtype()));
}

}  // namespace weft::nn
