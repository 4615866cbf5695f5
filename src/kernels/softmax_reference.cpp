#include "kernels/softmax_reference.hpp"

#include "kernels/softmax.hpp"
#include "tensor/copy.hpp"

namespace weft::kernels::reference {
namespace {

template <class T, class Row>
void rows(const Tensor& x, const Row& row) {
  const std::int64_t n = x.rank() == 0 ? 1 : x.shape().back();
  for (std::int64_t at = 0; at < x.numel(); at += n) row(at, n);
}

template <class Function>
void by_dtype(DType dtype, Function&& function) {
  dtype == f32 ? function.template operator()<float>() : function.template operator()<double>();
}

}  // namespace

Tensor masked_softmax(const Tensor& x, const Tensor& mask) {
  const Tensor from = x.contiguous(), kept = mask.defined() ? mask.expand(x.shape()).contiguous() : Tensor();
  Tensor y = from.empty_like();
  by_dtype(x.dtype(), [&]<class T>() {
    const T* source = from.data<T>();
    T* target = y.mutable_data<T>();
    rows<T>(from, [&](std::int64_t at, std::int64_t n) {
      masked_softmax_row(source + at, kept.defined() ? kept.data<bool>() + at : nullptr, target + at, n);
    });
  });
  return y;
}

Tensor softmax(const Tensor& x) { return masked_softmax(x, Tensor()); }

Tensor log_softmax(const Tensor& x) {
  const Tensor from = x.contiguous();
  Tensor y = from.empty_like();
  by_dtype(x.dtype(), [&]<class T>() {
    const T* source = from.data<T>();
    T* target = y.mutable_data<T>();
    rows<T>(from, [&](std::int64_t at, std::int64_t n) {
      T most = -std::numeric_limits<T>::infinity(), sum = 0;
      for (std::int64_t j = at; j < at + n; ++j) most = source[j] > most ? source[j] : most;
      for (std::int64_t j = at; j < at + n; ++j) sum += std::exp(source[j] - most);
      for (std::int64_t j = at; j < at + n; ++j) target[j] = (source[j] - most) - std::log(sum);
    });
  });
  return y;
}

Tensor softmax_backward(const Tensor& y, const Tensor& g, const Tensor& mask) {
  const Tensor output = y.contiguous(), gradient = g.contiguous();
  const Tensor kept = mask.defined() ? mask.expand(y.shape()).contiguous() : Tensor();
  Tensor dx = output.empty_like();
  by_dtype(y.dtype(), [&]<class T>() {
    const T *a = output.data<T>(), *b = gradient.data<T>();
    const bool* keep = kept.defined() ? kept.data<bool>() : nullptr;
    T* target = dx.mutable_data<T>();
    rows<T>(output, [&](std::int64_t at, std::int64_t n) {
      T sum = 0;
      bool any = false;
      for (std::int64_t j = at; j < at + n; ++j) {
        if (keep != nullptr && !keep[j]) continue;
        sum += a[j] * b[j];
        any = any || b[j] != 0;
      }
      for (std::int64_t j = at; j < at + n; ++j) target[j] = any && (keep == nullptr || keep[j]) ? a[j] * (b[j] - sum) : T{0};
    });
  });
  return dx;
}

Tensor log_softmax_backward(const Tensor& y, const Tensor& g) {
  const Tensor output = y.contiguous(), gradient = g.contiguous();
  Tensor dx = output.empty_like();
  by_dtype(y.dtype(), [&]<class T>() {
    const T *a = output.data<T>(), *b = gradient.data<T>();
    T* target = dx.mutable_data<T>();
    rows<T>(output, [&](std::int64_t at, std::int64_t n) {
      if (all_zero(b + at, n)) return static_cast<void>(std::fill_n(target + at, n, T{0}));
      T sum = 0;
      for (std::int64_t j = at; j < at + n; ++j) sum += b[j];
      for (std::int64_t j = at; j < at + n; ++j) target[j] = b[j] - std::exp(a[j]) * sum;
    });
  });
  return dx;
}

}  // namespace weft::kernels::reference
