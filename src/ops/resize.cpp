#include "weft/ops/resize.hpp"

#include <array>
#include <cmath>
#include <limits>

#include "base/fail.hpp"
#include "ops/places.hpp"
#include "weft/ops/shape.hpp"

namespace weft {
namespace {

constexpr std::int64_t most = std::numeric_limits<std::int32_t>::max();

// One axis: the size of the result and the ratio of places, input to result.
struct Axis {
  std::int64_t from, to;
  double scale;  // 0: from / to, exactly

  std::int64_t source(std::int64_t i) const {
    if (scale == 0) return i * from / to;
    return std::min(from - 1, static_cast<std::int64_t>(std::floor(static_cast<double>(i) / scale)));
  }
};

Axis axis_of(const Var& x, int axis, std::int64_t size, double scale) {
  const std::int64_t from = x.size(axis);
  const double wanted = size > 0 ? static_cast<double>(size) : std::floor(static_cast<double>(from) * scale);
  check<ShapeError>(from >= 1 && from <= most && wanted >= 1 && wanted <= static_cast<double>(most), "interpolate",
                    "axis {} of input {} becomes {}; sizes must be in 1 to {}", axis, x.shape(), wanted, most);
  return {from, static_cast<std::int64_t>(wanted), size > 0 ? 0 : scale};
}

}  // namespace

Var interpolate(const Var& x, const InterpolateOptions& options) {
  constexpr const char* op = "interpolate";
  check<ValueError>(x.defined(), op, "the input is undefined");
  check<DTypeError>(is_floating(x.dtype()), op, "the input is {}; f32 or f64 is needed", x.value());
  check<ShapeError>(x.rank() == 3 || x.rank() == 4, op, "input {}: [N, C, length] or [N, C, height, width] is needed",
                    x.shape());
  const Size2d size = options.size;
  const Scale2d factor = options.scale_factor;
  const bool sized = size.height != 0 || size.width != 0, scaled = factor.height != 0 || factor.width != 0;
  check<ValueError>(sized != scaled, op, "size is {} x {}, scale_factor {} x {}; exactly one of them is needed", size.height,
                    size.width, factor.height, factor.width);
  check<ValueError>(sized ? size.height > 0 && size.width > 0 : factor.height > 0 && factor.width > 0, op,
                    "size {} x {} or scale_factor {} x {} isn't positive", size.height, size.width, factor.height,
                    factor.width);
  check<ValueError>(x.rank() == 4 || (size.height == size.width && factor.height == factor.width), op,
                    "input {} has one dimension to resize; one number is needed", x.shape());
  const Axis rows = x.rank() == 4 ? axis_of(x, 2, size.height, factor.height) : Axis{1, 1, 0};
  const Axis columns = axis_of(x, x.rank() - 1, size.width, factor.width);

  Shape shape = x.shape().with(x.rank() - 1, columns.to);
  if (x.rank() == 4) shape = shape.with(2, rows.to);
  Tensor index = Tensor::empty({1, rows.to * columns.to}, i64);
  auto* place = index.mutable_data<std::int64_t>();
  for (std::int64_t i = 0; i < rows.to; ++i)
    for (std::int64_t j = 0; j < columns.to; ++j) *place++ = rows.source(i) * columns.from + columns.source(j);
  const std::int64_t planes = x.size(0) * x.size(1);
  return reshape(take_places(op, reshape(x, {planes, rows.from * columns.from}), index), shape);
}

}  // namespace weft
