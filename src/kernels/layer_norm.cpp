#include "kernels/layer_norm.hpp"

#include <cmath>

#include "base/fail.hpp"
#include "kernels/elementwise.hpp"
#include "kernels/parallel.hpp"
#include "kernels/reduce.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/layer_norm.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

// Highway includes this file once for each instruction set.
#ifndef WEFT_LAYER_NORM_ROWS
#define WEFT_LAYER_NORM_ROWS
namespace weft::kernels {

/// The squares are of the differences from the mean.
struct Moments {
  double mean, squares;
};

/// A row going forward: y = (x - mean) inverse weight + bias.
template <class T>
struct NormalizedRow {
  const T *x, *weight, *bias;  // [n]; weight and bias may be null
  double mean, inverse;
  T* y;
};

/// A row going back; weight_sum [2, n] gets its share of the parameters' gradients. dx and weight_sum may be null.
template <class T>
struct GradientRow {
  const T *x, *gradient, *weight;
  T mean, inverse;
  T *dx, *weight_sum;
};

}  // namespace weft::kernels
#endif

HWY_BEFORE_NAMESPACE();
namespace weft::kernels::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

// Vectors of f64 to compute with, from either type and back.
using Wide = hn::ScalableTag<double>;

HWY_INLINE hn::Vec<Wide> LoadWide(const double* x) { return hn::LoadU(Wide(), x); }
HWY_INLINE hn::Vec<Wide> LoadWide(const float* x) { return hn::PromoteTo(Wide(), hn::LoadU(hn::Rebind<float, Wide>(), x)); }

template <class D>
HWY_INLINE hn::Vec<D> NarrowTo(D, hn::Vec<Wide> v, const double*) {
  return v;
}
template <class D>
HWY_INLINE hn::Vec<D> NarrowTo(D d, hn::Vec<Wide> v, const float*) {
  return hn::DemoteTo(d, v);
}

template <class T>
Moments MomentsOf(const T* x, std::size_t n) {
  const Wide d;
  const std::size_t lanes = hn::Lanes(d), whole = n - n % lanes;
  // Counted from the first element, so that a constant row's mean is that constant to the last bit.
  const auto first = static_cast<double>(x[0]);
  const auto offset = hn::Set(d, first);
  auto sums = hn::Zero(d);
  for (std::size_t j = 0; j < whole; j += lanes) sums = hn::Add(sums, hn::Sub(LoadWide(x + j), offset));
  double sum = hn::GetLane(hn::SumOfLanes(d, sums));
  for (std::size_t j = whole; j < n; ++j) sum += static_cast<double>(x[j]) - first;

  const double mean = first + sum / static_cast<double>(n);
  const auto centre = hn::Set(d, mean);
  auto squares = hn::Zero(d);
  for (std::size_t j = 0; j < whole; j += lanes) {
    const auto difference = hn::Sub(LoadWide(x + j), centre);
    squares = hn::MulAdd(difference, difference, squares);
  }
  double square = hn::GetLane(hn::SumOfLanes(d, squares));
  for (std::size_t j = whole; j < n; ++j) {
    const double difference = static_cast<double>(x[j]) - mean;
    square += difference * difference;
  }
  return {mean, square};
}

template <class T>
void Normalize(const NormalizedRow<T>& row, std::size_t n) {
  const Wide wide;
  const hn::Rebind<T, Wide> d;
  const std::size_t lanes = hn::Lanes(wide), whole = n - n % lanes;
  const auto mean = hn::Set(wide, row.mean), inverse = hn::Set(wide, row.inverse);
  for (std::size_t j = 0; j < whole; j += lanes) {
    auto y = NarrowTo(d, hn::Mul(hn::Sub(LoadWide(row.x + j), mean), inverse), row.x);
    if (row.weight != nullptr) y = hn::Mul(y, hn::LoadU(d, row.weight + j));
    if (row.bias != nullptr) y = hn::Add(y, hn::LoadU(d, row.bias + j));
    hn::StoreU(y, d, row.y + j);
  }
  for (std::size_t j = whole; j < n; ++j) {
    auto y = static_cast<T>((static_cast<double>(row.x[j]) - row.mean) * row.inverse);
    if (row.weight != nullptr) y *= row.weight[j];
    if (row.bias != nullptr) y += row.bias[j];
    row.y[j] = y;
  }
}

// What the row's gradient is made of: the normalised row, and the gradient that reaches it.
template <class T, class D>
struct GradientVector {
  HWY_INLINE GradientVector(D d, const GradientRow<T>& row, std::size_t j)
      : gradient(hn::LoadU(d, row.gradient + j)),
        normal(hn::Mul(hn::Sub(hn::LoadU(d, row.x + j), hn::Set(d, row.mean)), hn::Set(d, row.inverse))),
        inner(row.weight != nullptr ? hn::Mul(gradient, hn::LoadU(d, row.weight + j)) : gradient) {}

  hn::Vec<D> gradient, normal, inner;
};

template <class T, class D>
HWY_INLINE void AddTo(D d, T* sum, hn::Vec<D> v) {
  hn::StoreU(hn::Add(hn::LoadU(d, sum), v), d, sum);
}

// Elements from `begin` to `end`, whole vectors of them: adds to the sums of inner and inner * normal.
template <class T, class D>
HWY_INLINE void SumGradients(D d, const GradientRow<T>& row, std::size_t n, std::size_t begin, std::size_t end, T* sum,
                             T* dot) {
  auto sums = hn::Zero(d), dots = hn::Zero(d);
  for (std::size_t j = begin; j < end; j += hn::Lanes(d)) {
    const GradientVector<T, D> v(d, row, j);
    sums = hn::Add(sums, v.inner);
    dots = hn::MulAdd(v.inner, v.normal, dots);
    if (row.weight_sum == nullptr) continue;
    AddTo(d, row.weight_sum + j, hn::Mul(v.gradient, v.normal));
    AddTo(d, row.weight_sum + n + j, v.gradient);
  }
  *sum += hn::GetLane(hn::SumOfLanes(d, sums));
  *dot += hn::GetLane(hn::SumOfLanes(d, dots));
}

template <class T, class D>
HWY_INLINE void StoreGradients(D d, const GradientRow<T>& row, std::size_t begin, std::size_t end, T mean, T slope) {
  for (std::size_t j = begin; j < end; j += hn::Lanes(d)) {
    const GradientVector<T, D> v(d, row, j);
    const auto centred = hn::Sub(v.inner, hn::Set(d, mean));
    hn::StoreU(hn::Mul(hn::Set(d, row.inverse), hn::NegMulAdd(v.normal, hn::Set(d, slope), centred)), d, row.dx + j);
  }
}

// dx = inverse (dn - mean(dn) - n mean(dn n)), with n the normalised row and dn = g weight.
template <class T>
void Backward(const GradientRow<T>& row, std::size_t n) {
  const hn::ScalableTag<T> d;
  const hn::CappedTag<T, 1> one;
  const std::size_t whole = n - n % hn::Lanes(d);
  T sum = 0, dot = 0;
  SumGradients(d, row, n, 0, whole, &sum, &dot);
  SumGradients(one, row, n, whole, n, &sum, &dot);
  if (row.dx == nullptr) return;
  const T mean = sum / static_cast<T>(n), slope = dot / static_cast<T>(n);
  StoreGradients(d, row, 0, whole, mean, slope);
  StoreGradients(one, row, whole, n, mean, slope);
}

Moments MomentsF32(const float* x, std::size_t n) { return MomentsOf(x, n); }
Moments MomentsF64(const double* x, std::size_t n) { return MomentsOf(x, n); }
void NormalizeF32(const NormalizedRow<float>& row, std::size_t n) { Normalize(row, n); }
void NormalizeF64(const NormalizedRow<double>& row, std::size_t n) { Normalize(row, n); }
void BackwardF32(const GradientRow<float>& row, std::size_t n) { Backward(row, n); }
void BackwardF64(const GradientRow<double>& row, std::size_t n) { Backward(row, n); }

}  // namespace weft::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace weft::kernels {

HWY_EXPORT(MomentsF32);
HWY_EXPORT(MomentsF64);
HWY_EXPORT(NormalizeF32);
HWY_EXPORT(NormalizeF64);
HWY_EXPORT(BackwardF32);
HWY_EXPORT(BackwardF64);

namespace {

// Rows whose share of the parameter gradients is summed together; fixed, so that sums don't depend on threads.
constexpr std::int64_t rows_per_sum = 64;

// The functions of one type and the instruction set in use.
template <class T>
struct RowFunctions {
  Moments (*moments)(const T*, std::size_t);
  void (*normalize)(const NormalizedRow<T>&, std::size_t);
  void (*backward)(const GradientRow<T>&, std::size_t);
};

template <class T>
RowFunctions<T> row_functions() {
  if constexpr (std::is_same_v<T, float>)
    return {HWY_DYNAMIC_DISPATCH(MomentsF32), HWY_DYNAMIC_DISPATCH(NormalizeF32), HWY_DYNAMIC_DISPATCH(BackwardF32)};
  else
    return {HWY_DYNAMIC_DISPATCH(MomentsF64), HWY_DYNAMIC_DISPATCH(NormalizeF64), HWY_DYNAMIC_DISPATCH(BackwardF64)};
}

template <class T>
void forward(const Tensor& x, const T* weight, const T* bias, double eps, LayerNorm& result) {
  const std::int64_t n = x.size(1);
  const T* source = x.data<T>();
  T *y = result.y.mutable_data<T>(), *means = result.mean.mutable_data<T>(), *variances = result.variance.mutable_data<T>(),
    *inverses = result.inverse.mutable_data<T>();
  const RowFunctions<T> functions = row_functions<T>();
  parallel_chunks(x.size(0), rows_per_chunk(n), [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t row = begin; row < end; ++row) {
      const T* from = source + row * n;
      const auto [mean, squares] = functions.moments(from, static_cast<std::size_t>(n));
      check<NumericError>(squares != 0 || eps > 0, "layer_norm", "row {} is constant and eps is 0; choose a positive eps", row);
      const double variance = squares / static_cast<double>(n), inverse = 1 / std::sqrt(variance + eps);
      means[row] = static_cast<T>(mean);
      variances[row] = static_cast<T>(variance);
      inverses[row] = static_cast<T>(inverse);
      functions.normalize({from, weight, bias, mean, inverse, y + row * n}, static_cast<std::size_t>(n));
    }
  });
}

template <class T>
void backward_rows(const Tensor& g, const Tensor& x, const T* weight, const T* means, const T* inverses, T* dx, T* sums) {
  const std::int64_t rows = x.size(0), n = x.size(1), blocks = (rows + rows_per_sum - 1) / rows_per_sum;
  const T *gradient = g.data<T>(), *source = x.data<T>();
  const auto backward = row_functions<T>().backward;
  parallel_chunks(blocks, 1, [&](std::int64_t block, std::int64_t) {
    T* const weight_sum = sums != nullptr ? sums + block * 2 * n : nullptr;
    for (std::int64_t row = block * rows_per_sum; row < std::min(rows, (block + 1) * rows_per_sum); ++row) {
      const T* grad = gradient + row * n;
      T* const to = dx != nullptr ? dx + row * n : nullptr;
      if (std::all_of(grad, grad + n, [](T element) { return element == 0; })) {  // whatever the row is, NaN included
        if (to != nullptr) std::fill_n(to, n, T{0});
        continue;
      }
      backward({source + row * n, grad, weight, means[row], inverses[row], to, weight_sum}, static_cast<std::size_t>(n));
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
#endif
