#include "weft/nn/conv.hpp"

#include <cmath>

#include "base/fail.hpp"
#include "nn/padding.hpp"
#include "weft/ops/convolution.hpp"

namespace weft::nn {
namespace {

template <class Options>
void check_channels(const char* type, const Options& o) {
  check<ValueError>(o.in_channels > 0 && o.out_channels > 0, type,
                    "in_channels is {} and out_channels {}; both must be positive", o.in_channels, o.out_channels);
  check<ValueError>(o.groups > 0 && o.in_channels % o.groups == 0 && o.out_channels % o.groups == 0, type,
                    "{} groups don't divide {} channels in and {} out", o.groups, o.in_channels, o.out_channels);
}

void check_axis(const char* type, std::int64_t kernel_size, std::int64_t stride, std::int64_t padding, std::int64_t dilation) {
  check<ValueError>(kernel_size > 0, type, "kernel_size is {}; it must be positive", kernel_size);
  check<ValueError>(stride > 0, type, "stride is {}; it must be positive", stride);
  check<ValueError>(padding >= 0, type, "padding is {}; it can't be negative", padding);
  check<ValueError>(dilation > 0, type, "dilation is {}; it must be positive", dilation);
}

Shape weight_shape(const Conv1dOptions& o) {
  check_channels("Conv1d", o);
  check_axis("Conv1d", o.kernel_size, o.stride, o.padding, o.dilation);
  return {o.out_channels, o.in_channels / o.groups, o.kernel_size};
}

Shape weight_shape(const Conv2dOptions& o) {
  check_channels("Conv2d", o);
  check_axis("Conv2d", o.kernel_size.height, o.stride.height, o.padding.height, o.dilation.height);
  check_axis("Conv2d", o.kernel_size.width, o.stride.width, o.padding.width, o.dilation.width);
  return {o.out_channels, o.in_channels / o.groups, o.kernel_size.height, o.kernel_size.width};
}

Weight bias_of(bool wanted, ModuleBase* owner, const Weight& weight) {
  if (!wanted) return {};
  const std::int64_t out = weight->shape()[0];
  const double bound = 1 / std::sqrt(static_cast<double>(weight->numel() / out));
  return {owner, "bias", Shape{out}, init::uniform(-bound, bound)};
}

// Of each row's steps along one axis.
Tensor lengths_behind(const char* type, const Tensor& lengths, std::int64_t kernel_size, std::int64_t stride,
                      std::int64_t padding, std::int64_t dilation) {
  check<ValueError>(lengths.defined(), type, "the lengths aren't given");
  check<DTypeError>(is_integer(lengths.dtype()), type, "lengths are {}; integers are needed", lengths);
  check<ShapeError>(lengths.rank() == 1, type, "lengths {} are not [N]", lengths);
  Tensor result = lengths.to(i64).clone();
  std::int64_t* length = result.mutable_data<std::int64_t>();
  for (std::int64_t row = 0; row < result.numel(); ++row) {
    check<ValueError>(length[row] >= 0, type, "length {} of row {} is negative", length[row], row);
    const std::int64_t room = length[row] + 2 * padding - dilation * (kernel_size - 1) - 1;
    length[row] = room < 0 ? 0 : room / stride + 1;
  }
  return result;
}

// x [N, channels, ...] without what stands behind the lengths along the axis of steps, convolved; nothing behind the steps
// left.
template <class Convolution, class Convolve>
Var convolved(const char* type, const char* axes, const Convolution& layer, std::int64_t in_channels, const Var& x,
              const Tensor& lengths, const Convolve& convolve) {
  check<ValueError>(x.defined(), type, "the input isn't given");
  check<ShapeError>(x.rank() == layer.weight->value().rank() && x.size(1) == in_channels, type, "input {} is not [N, {}, {}]",
                    x.value(), in_channels, axes);
  const Var y = convolve(zeros_behind(x, lengths, 2, type));
  return lengths.defined() ? zeros_behind(y, layer.output_lengths(lengths), 2, type) : y;
}

}  // namespace

Conv1d::Conv1d(const Conv1dOptions& options, const Scope& scope)
    : Module(scope),
      weight(this, "weight", weight_shape(options), init::kaiming_uniform(std::sqrt(5.0))),
      bias(bias_of(options.bias, this, weight)),
      options_(options) {}

Tensor Conv1d::output_lengths(const Tensor& lengths) const {
  return lengths_behind("Conv1d", lengths, options_.kernel_size, options_.stride, options_.padding, options_.dilation);
}

Var Conv1d::forward(const Var& x, const Tensor& lengths) {
  return convolved("Conv1d", "L", *this, options_.in_channels, x, lengths, [this](const Var& clean) {
    return conv1d(
        clean, weight, bias,
        {.stride = options_.stride, .padding = options_.padding, .dilation = options_.dilation, .groups = options_.groups});
  });
}

Conv2d::Conv2d(const Conv2dOptions& options, const Scope& scope)
    : Module(scope),
      weight(this, "weight", weight_shape(options), init::kaiming_uniform(std::sqrt(5.0))),
      bias(bias_of(options.bias, this, weight)),
      options_(options) {}

Tensor Conv2d::output_lengths(const Tensor& lengths) const {
  return lengths_behind("Conv2d", lengths, options_.kernel_size.height, options_.stride.height, options_.padding.height,
                        options_.dilation.height);
}

Var Conv2d::forward(const Var& x, const Tensor& lengths) {
  return convolved("Conv2d", "H, W", *this, options_.in_channels, x, lengths, [this](const Var& clean) {
    return conv2d(
        clean, weight, bias,
        {.stride = options_.stride, .padding = options_.padding, .dilation = options_.dilation, .groups = options_.groups});
  });
}

}  // namespace weft::nn
