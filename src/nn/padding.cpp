#include "nn/padding.hpp"

#include <algorithm>

#include "base/fail.hpp"
#include "ops/lengths.hpp"
#include "weft/ops/elementwise.hpp"

namespace weft::nn {

Var without_padding(const Var& x, const Tensor& lengths, const char* op) {
  if (!lengths.defined()) return x;
  check<ShapeError>(x.rank() == 3, op, "input {} is not [batch, places, size]", x.value());
  const Tensor ends = checked_lengths(op, lengths, "input", x.value(), 1);
  const std::int64_t places = x.size(1), *end = ends.data<std::int64_t>();
  if (std::all_of(end, end + ends.numel(), [places](std::int64_t e) { return e == places; })) return x;
  return where(within_lengths(ends, places).unsqueeze(2), x, Var::scalar(0, x.dtype()));
}

}  // namespace weft::nn
