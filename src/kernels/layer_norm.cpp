#include "kernels/layer_norm.hpp"

#include <cmath>

#include "base/fail.hpp"
#include "kernels/elementwise.hpp"
#include "kernels/parallel.hpp"
#include "kernels/reduce.hpp"

namespace weft::kernels {
namespace {

// Rows whose share of the parameter gradients is summed together; fixed, so that sums don't depend on threads.
constexpr std::int64_t rows_per_sum = 64;

template <class T>
void forward(const Tensor& x, const T* weight, const T* bias, double eps, LayerNorm& result) {
  const std::int64_t n = x.size(1);
  const T* source = x.data<T>();
  T *y = result.y.mutable_data<T>(), *means = result.mean.mutable_data<T>(), *variances = result.variance.mutable_data<T>(),
    *inverses = result.inverse.mutable_data<T>();
  parallel_chunks(x.size(0), rows_per_chunk(n), [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t row = begin; row < end; ++row) {
      const T* from = source + row * n;
      T* to = y + row * n;
      // Counted from the first element, so that a constant row's mean is that constant to the last bit.
      const auto first = static_cast<double>(from[0]);
      double sum = 0, squares = 0;
      for (std::int64_t j = 0; j < n; ++j) sum += static_cast<double>(from[j]) - first;
      const double mean = first + sum / static_cast<double>(n);
      for (std::int64_t j = 0; j < n; ++j) {
        const double difference = static_cast<double>(from[j]) - mean;
        squares += difference * difference;
      }
      check<NumericError>(squares != 0 || eps > 0, "layer_norm", "row {} is constant and eps is 0; choose a positive eps", row);
      const double variance = squares / static_cast<double>(n), inverse = 1 / std::sqrt(variance + eps);
      means[row] = static_cast<T>(mean);
      variances[row] = static_cast<T>(variance);
      inverses[row] = static_cast<T>(inverse);
      for (std::int64_t j = 0; j < n; ++j) {
        const T normal = static_cast<T>((static_cast<double>(from[j]) - mean) * inverse);
        to[j] = (weight != nullptr ? normal * weight[j] : normal) + (bias != nullptr ? bias[j] : T{0});
      }
    }
  });
}

// dx = inverse (dn - mean(dn) - n mean(dn n)), with n the normalised row and dn = g weight.
template <class T>
void backward_rows(const Tensor& g, const Tensor& x, const T* weight, const T* means, const T* inverses, T* dx, T* sums) {
  const std::int64_t rows = x.size(0), n = x.size(1), blocks = (rows + rows_per_sum - 1) / rows_per_sum;
  const T *gradient = g.data<T>(), *source = x.data<T>();
  parallel_chunks(blocks, 1, [&](std::int64_t block, std::int64_t) {
    T* const weight_sum = sums != nullptr ? sums + block * 2 * n : nullptr;
    for (std::int64_t row = block * rows_per_sum; row < std::min(rows, (block + 1) * rows_per_sum); ++row) {
      const T *from = source + row * n, *grad = gradient + row * n;
      if (std::all_of(grad, grad + n, [](T element) { return element == 0; })) {  // whatever the row is, NaN included
        if (dx != nullptr) std::fill_n(dx + row * n, n, T{0});
        continue;
      }
      const T mean = means[row], inverse = inverses[row];
      T sum = 0, dot = 0;
      for (std::int64_t j = 0; j < n; ++j) {
        const T normal = (from[j] - mean) * inverse, d = weight != nullptr ? grad[j] * weight[j] : grad[j];
        sum += d;
        dot += d * normal;
        if (weight_sum == nullptr) continue;
        weight_sum[j] += grad[j] * normal;
        weight_sum[n + j] += grad[j];
      }
      if (dx == nullptr) continue;
      sum /= static_cast<T>(n);
      dot /= static_cast<T>(n);
      for (std::int64_t j = 0; j < n; ++j) {
        const T normal = (from[j] - mean) * inverse, d = weight != nullptr ? grad[j] * weight[j] : grad[j];
        dx[row * n + j] = inverse * (d - sum - normal * dot);
      }
    }
  });
}

template <class T>
const T* data_or_null(const Tensor& x) {
  return x.defined() ? x.data<T>() : nullptr;
}

template <class Function>
void by_dtype(DType dtype, Function&& function) {
  dtype == f32 ? function.template operator()<float>() : function.template operator()<double>();
}

}  // namespace

LayerNorm layer_norm(const Tensor& x, const Tensor& weight, const Tensor& bias, double eps) {
  const auto per_row = [&] { return Tensor::empty({x.size(0)}, x.dtype()); };
  LayerNorm result{x.empty_like(), per_row(), per_row(), per_row()};
  if (x.numel() == 0) return result;
  by_dtype(x.dtype(), [&]<class T>() { forward<T>(x, data_or_null<T>(weight), data_or_null<T>(bias), eps, result); });
  return result;
}

LayerNormGradients layer_norm_backward(const Tensor& g, const Tensor& x, const Tensor& weight, const Tensor& mean,
                                       const Tensor& inverse, bool want_x, bool want_parameters) {
  const std::int64_t n = x.size(1), blocks = (x.size(0) + rows_per_sum - 1) / rows_per_sum;
  LayerNormGradients result;
  if (want_x) result.x = x.empty_like();
  Tensor sums;
  if (want_parameters) sums = Tensor::zeros({blocks, 2, n}, x.dtype());
  by_dtype(x.dtype(), [&]<class T>() {
    if (x.numel() > 0)
      backward_rows<T>(g, x, data_or_null<T>(weight), mean.data<T>(), inverse.data<T>(),
                       want_x ? result.x.mutable_data<T>() : nullptr, want_parameters ? sums.mutable_data<T>() : nullptr);
  });
  if (want_parameters) {
    const Tensor total = sum_to(sums, Shape{2, n});
    result.weight = total.select(0, 0);
    result.bias = total.select(0, 1);
  }
  return result;
}

}  // namespace weft::kernels
