#pragma once
#include "weft/tensor/tensor.hpp"

namespace weft::kernels {

/// y = (x - mean) / sqrt(variance + eps) * weight + bias over the last dimension of x [rows, n]; weight, bias [n] or undefined.
/// Two passes in f64, so that a large mean costs no digits. Keeps mean, variance and 1/sqrt(variance + eps) of each row.
/// Throws NumericError for a constant row where eps is 0.
struct LayerNorm {
  Tensor y, mean, variance, inverse;
};
LayerNorm layer_norm(const Tensor& x, const Tensor& weight, const Tensor& bias, double eps);

/// Gradients for x and, where asked, weight and bias (undefined otherwise). A row into which only zeros come adds nothing.
struct LayerNormGradients {
  Tensor x, weight, bias;
};
LayerNormGradients layer_norm_backward(const Tensor& g, const Tensor& x, const Tensor& weight, const Tensor& mean,
                                       const Tensor& inverse, bool want_x, bool want_parameters);

namespace reference {
LayerNorm layer_norm(const Tensor& x, const Tensor& weight, const Tensor& bias, double eps);
LayerNormGradients layer_norm_backward(const Tensor& g, const Tensor& x, const Tensor& weight, const Tensor& mean,
                                       const Tensor& inverse, bool want_x, bool want_parameters);
}  // namespace reference

}  // namespace weft::kernels
