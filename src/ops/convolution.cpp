#include "weft/ops/convolution.hpp"

#include <algorithm>
#include <array>
#include <limits>

#include "base/fail.hpp"
#include "kernels/convolution.hpp"
#include "weft/autograd/record.hpp"
#include "weft/ops/elementwise.hpp"
#include "weft/ops/reduce.hpp"
#include "weft/ops/shape.hpp"

namespace weft {
namespace {

using kernels::Convolution;
using Pair = std::array<std::int64_t, 2>;

// Sizes and options up to here can't overflow what is computed from them.
constexpr std::int64_t most = std::numeric_limits<std::int32_t>::max();

// Three maps, each linear in two arguments, whose derivatives are the two others: so every order is there.
Var convolve(const char* op, const Var& x, const Var& weight, const Var& bias, const Convolution& c);
Var convolve_input(const char* op, const Var& g, const Var& weight, const Convolution& c);
Var convolve_weight(const char* op, const Var& g, const Var& x, const Convolution& c);

// y = x * w + b
Var convolve(const char* op, const Var& x, const Var& weight, const Var& bias, const Convolution& c) {
  return record(op, kernels::convolution(x.value(), weight.value(), bias.value(), c), {&x, &weight, &bias},
                [op, x = Saved(x, weight.requires_grad()), weight = Saved(weight, x.requires_grad()), c](Sink& s) {
                  const Var g = s.grad();
                  if (s.wants(0)) s.add(0, convolve_input(op, g, weight.get(), c));
                  if (s.wants(1)) s.add(1, convolve_weight(op, g, x.get(), c));
                  if (s.wants(2)) s.add(2, sum(g, {0, 2, 3}));
                });
}

Var convolve_input(const char* op, const Var& g, const Var& weight, const Convolution& c) {
  return record(op, kernels::convolution_input(g.value(), weight.value(), c), {&g, &weight},
                [op, g = Saved(g, weight.requires_grad()), weight = Saved(weight, g.requires_grad()), c](Sink& s) {
                  const Var dx = s.grad();
                  if (s.wants(0)) s.add(0, convolve(op, dx, weight.get(), {}, c));
                  if (s.wants(1)) s.add(1, convolve_weight(op, g.get(), dx, c));
                });
}

Var convolve_weight(const char* op, const Var& g, const Var& x, const Convolution& c) {
  return record(op, kernels::convolution_weight(g.value(), x.value(), c), {&g, &x},
                [op, g = Saved(g, x.requires_grad()), x = Saved(x, g.requires_grad()), c](Sink& s) {
                  const Var dw = s.grad();
                  if (s.wants(0)) s.add(0, convolve(op, x.get(), dw, {}, c));
                  if (s.wants(1)) s.add(1, convolve_input(op, g.get(), dw, c));
                });
}

struct Options {
  Pair stride, padding, output_padding, dilation;
  std::int64_t groups;
};

// Size i (0: height, 1: width) behind `from`; with one dimension the height is 1.
std::int64_t size_at(const Shape& shape, int from, int dimensions, int i) {
  return dimensions == 1 && i == 0 ? 1 : shape[from + dimensions - 2 + i];
}

void check_operands(const char* op, const Var& x, const Var& weight, const Var& bias, int dimensions) {
  check<ValueError>(x.defined() && weight.defined(), op, "{} is undefined", x.defined() ? "the weight" : "the input");
  check<DTypeError>(is_floating(x.dtype()) && weight.dtype() == x.dtype() && (!bias.defined() || bias.dtype() == x.dtype()), op,
                    "input {}, weight {}{}{}: one type is needed, f32 or f64", x.value(), weight.value(),
                    bias.defined() ? " and bias " : "", bias.defined() ? bias.describe() : "");
  const char* sizes = dimensions == 1 ? "length" : "height, width";
  check<ShapeError>(x.rank() == dimensions + 2 || x.rank() == dimensions + 1, op, "input {}: [N, C, {}] or [C, {}] is needed",
                    x.shape(), sizes, sizes);
  check<ShapeError>(weight.rank() == dimensions + 2, op, "weight {}: {} dimensions are needed, the last of them {}",
                    weight.shape(), dimensions + 2, sizes);
  for (const Var* v : {&x, &weight})
    for (const std::int64_t size : v->shape())
      check<ShapeError>(size <= most, op, "input {} and weight {}: no size may be above {}", x.shape(), weight.shape(), most);
  for (int i = 2; i < weight.rank(); ++i) check<ShapeError>(weight.size(i) > 0, op, "weight {} has no kernel", weight.shape());
}

void check_options(const char* op, const Options& o) {
  const auto within = [&](const char* name, const Pair& values, std::int64_t least) {
    for (const std::int64_t value : values)
      check<ValueError>(value >= least && value <= most, op, "{} is {}; {} at least is needed, {} at most", name, value, least,
                        most);
  };
  within("stride", o.stride, 1);
  within("padding", o.padding, 0);
  within("output_padding", o.output_padding, 0);
  within("dilation", o.dilation, 1);
  within("groups", {o.groups, o.groups}, 1);
}

void check_channels(const char* op, const Var& x, const Var& weight, const Var& bias, std::int64_t channels,
                    std::int64_t expected, std::int64_t out, std::int64_t groups) {
  check<ShapeError>(
      channels == expected && expected % groups == 0 && out % groups == 0, op,
      "input {} doesn't fit weight {} in {} groups: the input has {} channels, the weight is for {} in and {} out", x.shape(),
      weight.shape(), groups, channels, expected, out);
  check<ShapeError>(!bias.defined() || bias.shape() == Shape{out}, op, "bias {} doesn't fit weight {}: [{}] is needed",
                    bias.defined() ? bias.describe() : "", weight.shape(), out);
}

// x as [N, C, height, width].
Var lifted(const Var& x, const Shape& shape) { return x.shape() == shape ? x : reshape(x, shape); }

// y [N, C, height, width] with the dimensions that x has.
Var lowered(const Var& y, const Var& x, int dimensions) {
  if (x.rank() == 4) return y;
  std::array<std::int64_t, 4> sizes{};
  std::size_t count = 0;
  if (x.rank() == dimensions + 2) sizes[count++] = y.size(0);
  sizes[count++] = y.size(1);
  if (dimensions == 2) sizes[count++] = y.size(2);
  sizes[count++] = y.size(3);
  return reshape(y, Shape(std::span<const std::int64_t>(sizes.data(), count)));
}

// The sizes that don't depend on the direction.
Convolution common(const Var& x, const Var& weight, const Options& o, int dimensions) {
  Convolution c{};
  c.batch = x.rank() == dimensions + 2 ? x.size(0) : 1;
  c.groups = o.groups;
  c.stride = o.stride;
  c.padding = o.padding;
  c.dilation = o.dilation;
  for (int i = 0; i < 2; ++i) c.kernel[static_cast<std::size_t>(i)] = size_at(weight.shape(), 2, dimensions, i);
  return c;
}

Var conv(const char* op, const Var& x, const Var& weight, const Var& bias, const Options& o, int dimensions) {
  check_operands(op, x, weight, bias, dimensions);
  check_options(op, o);
  const int channel_axis = x.rank() - dimensions - 1;
  Convolution c = common(x, weight, o, dimensions);
  c.in = x.size(channel_axis);
  c.out = weight.size(0);
  check_channels(op, x, weight, bias, c.in, weight.size(1) * o.groups, c.out, o.groups);
  for (std::size_t i = 0; i < 2; ++i) {
    c.input[i] = size_at(x.shape(), channel_axis + 1, dimensions, static_cast<int>(i));
    const std::int64_t room = c.input[i] + 2 * c.padding[i] - c.dilation[i] * (c.kernel[i] - 1) - 1;
    check<ShapeError>(
        room >= 0, op, "the kernel of weight {} is larger than the input {}: {} elements with padding {}, the kernel spans {}",
        weight.shape(), x.shape(), c.input[i] + 2 * c.padding[i], c.padding[i], c.dilation[i] * (c.kernel[i] - 1) + 1);
    c.output[i] = room / c.stride[i] + 1;
  }
  return lowered(convolve(op, lifted(x, c.x_shape()), lifted(weight, c.weight_shape()), bias, c), x, dimensions);
}

// x plays the gradient of a convolution's result.
Var conv_transpose(const char* op, const Var& x, const Var& weight, const Var& bias, const Options& o, int dimensions) {
  check_operands(op, x, weight, bias, dimensions);
  check_options(op, o);
  const int channel_axis = x.rank() - dimensions - 1;
  Convolution c = common(x, weight, o, dimensions);
  c.in = weight.size(1) * o.groups;
  c.out = x.size(channel_axis);
  check_channels(op, x, weight, bias, c.out, weight.size(0), c.in, o.groups);
  for (std::size_t i = 0; i < 2; ++i) {
    check<ValueError>(o.output_padding[i] < std::max(o.stride[i], o.dilation[i]), op,
                      "output_padding is {}; it must be less than stride {} or dilation {}", o.output_padding[i], o.stride[i],
                      o.dilation[i]);
    c.output[i] = size_at(x.shape(), channel_axis + 1, dimensions, static_cast<int>(i));
    c.input[i] =
        (c.output[i] - 1) * c.stride[i] - 2 * c.padding[i] + c.dilation[i] * (c.kernel[i] - 1) + o.output_padding[i] + 1;
    check<ShapeError>(c.input[i] > 0, op, "input {} and weight {} with stride {} and padding {} leave {} elements", x.shape(),
                      weight.shape(), c.stride[i], c.padding[i], c.input[i]);
  }
  Var y = convolve_input(op, lifted(x, c.y_shape()), lifted(weight, c.weight_shape()), c);
  if (bias.defined()) y = y + reshape(bias, {c.in, 1, 1});
  return lowered(y, x, dimensions);
}

}  // namespace

Var conv1d(const Var& x, const Var& weight, const Var& bias, const Conv1dOptions& o) {
  return conv("conv1d", x, weight, bias, {{1, o.stride}, {0, o.padding}, {0, 0}, {1, o.dilation}, o.groups}, 1);
}

Var conv2d(const Var& x, const Var& weight, const Var& bias, const Conv2dOptions& o) {
  return conv("conv2d", x, weight, bias, {o.stride.pair(), o.padding.pair(), {0, 0}, o.dilation.pair(), o.groups}, 2);
}

Var conv_transpose1d(const Var& x, const Var& weight, const Var& bias, const ConvTranspose1dOptions& o) {
  return conv_transpose("conv_transpose1d", x, weight, bias,
                        {{1, o.stride}, {0, o.padding}, {0, o.output_padding}, {1, o.dilation}, o.groups}, 1);
}

Var conv_transpose2d(const Var& x, const Var& weight, const Var& bias, const ConvTranspose2dOptions& o) {
  return conv_transpose("conv_transpose2d", x, weight, bias,
                        {o.stride.pair(), o.padding.pair(), o.output_padding.pair(), o.dilation.pair(), o.groups}, 2);
}

}  // namespace weft
