#pragma once
#include <array>

#include "weft/tensor/tensor.hpp"

namespace weft::kernels {

/// The sizes of a convolution: x [batch, in, input], weight [out, in / groups, kernel], y [batch, out, output]; channels of all
/// groups together, pairs are height and width. Output row i meets input row i stride - padding + k dilation at row k of the
/// kernel; rows outside the input count as zeros. `output` may be smaller than what fits.
struct Convolution {
  std::int64_t batch, groups, in, out;
  std::array<std::int64_t, 2> input, kernel, output, stride, padding, dilation;

  Shape x_shape() const { return {batch, in, input[0], input[1]}; }
  Shape weight_shape() const { return {out, in / groups, kernel[0], kernel[1]}; }
  Shape y_shape() const { return {batch, out, output[0], output[1]}; }
  /// Multiply-adds of each of the three maps below.
  double work() const {
    return static_cast<double>(batch) * static_cast<double>(out) * static_cast<double>(output[0] * output[1]) *
           static_cast<double>(in / groups) * static_cast<double>(kernel[0] * kernel[1]);
  }
};

// Three linear maps, each the transposed of the two others in one of its arguments. Operands have the shapes above, any
// strides, one floating dtype. f32 goes through oneDNN; f64, tiny sizes and what oneDNN refuses through plain loops.
// With deterministic(true) the same bits for any number of threads. Throws LibraryError.

/// y = the convolution of x with weight, plus bias [out] where it is defined.
Tensor convolution(const Tensor& x, const Tensor& weight, const Tensor& bias, const Convolution& c);
/// The gradient of x, of y's gradient g: the transposed convolution.
Tensor convolution_input(const Tensor& g, const Tensor& weight, const Convolution& c);
/// The gradient of weight.
Tensor convolution_weight(const Tensor& g, const Tensor& x, const Convolution& c);

namespace reference {
Tensor convolution(const Tensor& x, const Tensor& weight, const Tensor& bias, const Convolution& c);
Tensor convolution_input(const Tensor& g, const Tensor& weight, const Convolution& c);
Tensor convolution_weight(const Tensor& g, const Tensor& x, const Convolution& c);
}  // namespace reference

}  // namespace weft::kernels
