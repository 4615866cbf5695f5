#include "kernels/convolution.hpp"

#include <algorithm>

#include "kernels/elementwise.hpp"
#include "kernels/onednn_convolution.hpp"
#include "kernels/parallel.hpp"
#include "kernels/reduce.hpp"
#include "kernels/work.hpp"

namespace weft::kernels {
namespace {

using onednn::ConvolutionPass;

// Below this many multiply-adds calling oneDNN costs more than the work.
constexpr double tiny = 2048;
// Multiply-adds of one serial call in deterministic mode, at least, where there are several samples.
constexpr double work_per_call = 1 << 21;
// Parts of the batch, at most, whose weight gradients are added up in deterministic mode.
constexpr std::int64_t most_parts = 8;

void count(const Convolution& c) { multiply_adds += static_cast<std::int64_t>(std::min(c.work(), 0x1p62)); }

bool plain(const Convolution& c, DType dtype) { return dtype != f32 || c.work() <= tiny || !onednn::takes(c); }

// The samples of one serial call: a function of the sizes alone.
std::int64_t samples_per_call(const Convolution& c) {
  const double one = c.work() / static_cast<double>(c.batch);
  return std::min(c.batch, static_cast<std::int64_t>(work_per_call / one) + 1);
}

// Elements of a sample of x or y.
std::int64_t sample_size(const Shape& shape) { return shape[1] * shape[2] * shape[3]; }

// Each sample of the result is made of one sample of `first` and the whole of `second`.
void by_samples(ConvolutionPass pass, const Convolution& c, const float* first, const float* second, const float* bias,
                float* result) {
  if (!deterministic()) return onednn::convolve(pass, c, first, second, bias, result, false);
  std::int64_t from = sample_size(c.x_shape()), to = sample_size(c.y_shape());
  if (pass == ConvolutionPass::x) std::swap(from, to);
  parallel_chunks(c.batch, samples_per_call(c), [&](std::int64_t begin, std::int64_t end) {
    Convolution part = c;
    part.batch = end - begin;
    onednn::convolve(pass, part, first + begin * from, second, bias, result + begin * to, true);
  });
}

}  // namespace

Tensor convolution(const Tensor& x, const Tensor& weight, const Tensor& bias, const Convolution& c) {
  count(c);
  if (plain(c, x.dtype())) return reference::convolution(x, weight, bias, c);
  Tensor y = Tensor::empty(c.y_shape());
  const Tensor from = dense(x), factors = dense(weight), added = bias.defined() ? dense(bias) : Tensor();
  by_samples(ConvolutionPass::y, c, from.data<float>(), factors.data<float>(), added.defined() ? added.data<float>() : nullptr,
             y.mutable_data<float>());
  return y;
}

Tensor convolution_input(const Tensor& g, const Tensor& weight, const Convolution& c) {
  count(c);
  if (plain(c, g.dtype())) return reference::convolution_input(g, weight, c);
  Tensor dx = Tensor::empty(c.x_shape());
  const Tensor from = dense(g), factors = dense(weight);
  by_samples(ConvolutionPass::x, c, from.data<float>(), factors.data<float>(), nullptr, dx.mutable_data<float>());
  return dx;
}

Tensor convolution_weight(const Tensor& g, const Tensor& x, const Convolution& c) {
  count(c);
  if (plain(c, g.dtype())) return reference::convolution_weight(g, x, c);
  const Tensor gradient = dense(g), from = dense(x);
  if (!deterministic()) {
    Tensor dw = Tensor::empty(c.weight_shape());
    onednn::convolve(ConvolutionPass::weight, c, gradient.data<float>(), from.data<float>(), nullptr, dw.mutable_data<float>(),
                     false);
    return dw;
  }
  const std::int64_t samples = std::max(samples_per_call(c), (c.batch + most_parts - 1) / most_parts);
  const Shape shape = c.weight_shape();
  Tensor parts = Tensor::empty({(c.batch + samples - 1) / samples, shape[0], shape[1], shape[2], shape[3]});
  auto* sums = parts.mutable_data<float>();
  parallel_chunks(c.batch, samples, [&](std::int64_t begin, std::int64_t end) {
    Convolution part = c;
    part.batch = end - begin;
    onednn::convolve(ConvolutionPass::weight, part, gradient.data<float>() + begin * sample_size(c.y_shape()),
                     from.data<float>() + begin * sample_size(c.x_shape()), nullptr, sums + begin / samples * shape.numel(),
                     true);
  });
  return sum_to(parts, Shape{1, shape[0], shape[1], shape[2], shape[3]}).reshape(shape);
}

}  // namespace weft::kernels
