#include "ops/lengths.hpp"

#include "base/fail.hpp"

namespace weft {

Tensor checked_lengths(const char* op, const Tensor& lengths, const char* name, const Tensor& x, int axis) {
  if (!lengths.defined()) return {};
  check<DTypeError>(is_integer(lengths.dtype()), op, "lengths are {}; integers are needed", lengths);
  check<ShapeError>(lengths.shape() == Shape{x.size(0)}, op, "lengths {} don't fit {} {}: one a row is needed", lengths.shape(),
                    name, x.shape());
  Tensor result = lengths.to(i64).contiguous();
  for (std::int64_t row = 0; row < result.numel(); ++row) {
    const std::int64_t length = result.data<std::int64_t>()[row];
    check<ValueError>(length >= 0 && length <= x.size(axis), op, "length {} of row {} is outside 0 to {} ({} {})", length, row,
                      x.size(axis), name, x.shape());
  }
  return result;
}

}  // namespace weft
