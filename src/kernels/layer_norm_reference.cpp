#include <cmath>
#include <vector>

#include "base/fail.hpp"
#include "kernels/layer_norm.hpp"

// One row after the other, in f64.
namespace weft::kernels::reference {

LayerNorm layer_norm(const Tensor& x, const Tensor& weight, const Tensor& bias, double eps) {
  const std::int64_t rows = x.size(0), n = x.size(1);
  const Tensor from = x.to(f64).contiguous(), scale = weight.defined() ? weight.to(f64).contiguous() : Tensor::ones({n}, f64),
               shift = bias.defined() ? bias.to(f64).contiguous() : Tensor::zeros({n}, f64);
  Tensor y = Tensor::empty({rows, n}, f64), means = Tensor::empty({rows}, f64), variances = means.empty_like(),
         inverses = means.empty_like();
  for (std::int64_t row = 0; row < rows && n > 0; ++row) {
    const double* values = from.data<double>() + row * n;
    double mean = 0, variance = 0;
    for (std::int64_t j = 0; j < n; ++j) mean += (values[j] - values[0]) / static_cast<double>(n);
    mean += values[0];
    for (std::int64_t j = 0; j < n; ++j) variance += (values[j] - mean) * (values[j] - mean) / static_cast<double>(n);
    check<NumericError>(variance != 0 || eps > 0, "layer_norm", "row {} is constant and eps is 0; choose a positive eps", row);
    const double inverse = 1 / std::sqrt(variance + eps);
    means.mutable_data<double>()[row] = mean;
    variances.mutable_data<double>()[row] = variance;
    inverses.mutable_data<double>()[row] = inverse;
    for (std::int64_t j = 0; j < n; ++j)
      y.mutable_data<double>()[row * n + j] = (values[j] - mean) * inverse * scale.data<double>()[j] + shift.data<double>()[j];
  }
  return {y.to(x.dtype()), means.to(x.dtype()), variances.to(x.dtype()), inverses.to(x.dtype())};
}

LayerNormGradients layer_norm_backward(const Tensor& g, const Tensor& x, const Tensor& weight, const Tensor& mean,
                                       const Tensor& inverse, bool want_x, bool want_parameters) {
  const std::int64_t rows = x.size(0), n = x.size(1);
  const Tensor incoming = g.to(f64).contiguous(), from = x.to(f64).contiguous(),
               scale = weight.defined() ? weight.to(f64).contiguous() : Tensor::ones({n}, f64);
  Tensor dx = Tensor::zeros({rows, n}, f64), d_weight = Tensor::zeros({n}, f64), d_bias = Tensor::zeros({n}, f64);
  for (std::int64_t row = 0; row < rows; ++row) {
    const double *grad = incoming.data<double>() + row * n, *values = from.data<double>() + row * n;
    const double centre = mean.at({row}), factor = inverse.at({row});
    std::vector<double> normal, d;
    double sum = 0, dot = 0, any = 0;
    for (std::int64_t j = 0; j < n; ++j) {
      any += grad[j] != 0 ? 1 : 0;
      normal.push_back((values[j] - centre) * factor);
      d.push_back(grad[j] * scale.data<double>()[j]);
      sum += d.back() / static_cast<double>(n);
      dot += d.back() * normal.back() / static_cast<double>(n);
    }
    for (std::int64_t j = 0; j < n && any > 0; ++j) {
      const auto at = static_cast<std::size_t>(j);
      dx.mutable_data<double>()[row * n + j] = factor * (d[at] - sum - normal[at] * dot);
      d_weight.mutable_data<double>()[j] += grad[j] * normal[at];
      d_bias.mutable_data<double>()[j] += grad[j];
    }
  }
  LayerNormGradients result;
  if (want_x) result.x = dx.to(x.dtype());
  if (want_parameters) {
    result.weight = d_weight.to(x.dtype());
    result.bias = d_bias.to(x.dtype());
  }
  return result;
}

}  // namespace weft::kernels::reference
