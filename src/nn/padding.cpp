#include "nn/padding.hpp"

#include "base/fail.hpp"
#include "weft/ops/elementwise.hpp"

namespace weft::nn {

Var without_padding(const Var& x, const Tensor& lengths, const char* op) {
  if (!lengths.defined()) return x;
  check<DTypeError>(is_integer(lengths.dtype()), op, "lengths are {}; integers are needed", lengths);
  check<ShapeError>(x.rank() == 3 && lengths.shape() == Shape{x.size(0)}, op,
                    "lengths {} don't fit {}: [batch, places, size] and one length a row are needed", lengths.shape(),
                    x.value());
  const Tensor ends = lengths.to(i64).contiguous();
  const std::int64_t places = x.size(1);
  Tensor within = Tensor::empty({x.size(0), places, 1}, boolean);
  bool* place = within.mutable_data<bool>();
  bool whole = true;
  for (std::int64_t b = 0; b < x.size(0); ++b) {
    const std::int64_t end = ends.data<std::int64_t>()[b];
    whole = whole && end >= places;
    for (std::int64_t i = 0; i < places; ++i) *place++ = i < end;
  }
  return whole ? x : where(within, x, Var::scalar(0, x.dtype()));
}

}  // namespace weft::nn
