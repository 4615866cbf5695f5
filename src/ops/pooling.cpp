#include "weft/ops/pooling.hpp"

#include <limits>

#include "base/fail.hpp"
#include "kernels/pooling.hpp"
#include "ops/places.hpp"
#include "weft/autograd/record.hpp"
#include "weft/ops/shape.hpp"

namespace weft {
namespace {

using kernels::Windows;
using Pair = std::array<std::int64_t, 2>;

// Sizes and options up to here can't overflow what is computed from them.
constexpr std::int64_t most = std::numeric_limits<std::int32_t>::max();

// Each the other's derivative.
Var spread_averages(const char* op, const Var& g, const Windows& w);

Var averages(const char* op, const Var& x, const Windows& w) {
  return record(op, kernels::avg_pool(x.value(), w), {&x}, [op, w](Sink& s) { s.add(0, spread_averages(op, s.grad(), w)); });
}

Var spread_averages(const char* op, const Var& g, const Windows& w) {
  return record(op, kernels::avg_pool_transposed(g.value(), w), {&g},
                [op, w](Sink& s) { s.add(0, averages(op, s.grad(), w)); });
}

// The windows over the last `dimensions` of x; with one dimension the height is 1.
Windows windows_over(const char* op, const Var& x, int dimensions, const Pair& kernel, const Pair& stride,
                     const Pair& padding) {
  check<ValueError>(x.defined(), op, "the input is undefined");
  check<DTypeError>(is_floating(x.dtype()), op, "the input is {}; f32 or f64 is needed", x.value());
  const char* sizes = dimensions == 1 ? "length" : "height, width";
  check<ShapeError>(x.rank() == dimensions + 2 || x.rank() == dimensions + 1, op, "input {}: [N, C, {}] or [C, {}] is needed",
                    x.shape(), sizes, sizes);
  Windows w{};
  w.kernel = kernel;
  w.padding = padding;
  for (std::size_t i = 0; i < 2; ++i) {
    w.input[i] = dimensions == 1 && i == 0 ? 1 : x.size(static_cast<int>(i) - 2);
    w.stride[i] = stride[i] == 0 ? kernel[i] : stride[i];
    check<ValueError>(kernel[i] >= 1 && kernel[i] <= most && w.stride[i] >= 1 && w.stride[i] <= most, op,
                      "kernel {} and stride {} must be in 1 to {}", kernel[i], w.stride[i], most);
    check<ValueError>(padding[i] >= 0 && padding[i] <= kernel[i] / 2, op,
                      "padding is {}; at most half the kernel {} is allowed", padding[i], kernel[i]);
    check<ShapeError>(w.input[i] > 0 && w.input[i] <= most, op, "input {}: sizes must be in 1 to {}", x.shape(), most);
    const std::int64_t room = w.input[i] + 2 * padding[i] - kernel[i];
    check<ShapeError>(room >= 0, op, "the kernel {} is larger than the input {} with padding {}", kernel[i], x.shape(),
                      padding[i]);
    w.output[i] = room / w.stride[i] + 1;
  }
  w.planes = 1;
  for (int i = 0; i < x.rank() - dimensions; ++i) w.planes *= x.size(i);
  return w;
}

// Planes [planes, ...] with the sizes of the windows' results in the place of x's.
Var with_sizes(const Var& planes, const Var& x, const Windows& w, int dimensions) {
  Shape shape = x.shape().with(x.rank() - 1, w.output[1]);
  if (dimensions == 2) shape = shape.with(x.rank() - 2, w.output[0]);
  return reshape(planes, shape);
}

Var max_pool(const char* op, const Var& x, int dimensions, const Pair& kernel, const Pair& stride, const Pair& padding) {
  const Windows w = windows_over(op, x, dimensions, kernel, stride, padding);
  const Var planes = reshape(x, {w.planes, w.input[0] * w.input[1]});
  const kernels::MaxPool pooled = kernels::max_pool(planes.value(), w);
  return with_sizes(take_places(op, planes, pooled.index, pooled.y), x, w, dimensions);
}

Var avg_pool(const char* op, const Var& x, int dimensions, const Pair& kernel, const Pair& stride, const Pair& padding,
             bool count_padding) {
  Windows w = windows_over(op, x, dimensions, kernel, stride, padding);
  w.count_padding = count_padding;
  return with_sizes(averages(op, reshape(x, {w.planes, w.input[0], w.input[1]}), w), x, w, dimensions);
}

}  // namespace

Var max_pool1d(const Var& x, std::int64_t kernel, const MaxPool1dOptions& o) {
  return max_pool("max_pool1d", x, 1, {1, kernel}, {1, o.stride}, {0, o.padding});
}

Var max_pool2d(const Var& x, Size2d kernel, const MaxPool2dOptions& o) {
  return max_pool("max_pool2d", x, 2, kernel.pair(), o.stride.pair(), o.padding.pair());
}

Var avg_pool1d(const Var& x, std::int64_t kernel, const AvgPool1dOptions& o) {
  return avg_pool("avg_pool1d", x, 1, {1, kernel}, {1, o.stride}, {0, o.padding}, o.count_include_pad);
}

Var avg_pool2d(const Var& x, Size2d kernel, const AvgPool2dOptions& o) {
  return avg_pool("avg_pool2d", x, 2, kernel.pair(), o.stride.pair(), o.padding.pair(), o.count_include_pad);
}

}  // namespace weft
