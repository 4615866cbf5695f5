#include "kernels/optimizer.hpp"

#include <algorithm>
#include <cmath>
#include <span>

#include "kernels/parallel.hpp"
#include "kernels/squares.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/optimizer.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#ifndef WEFT_KERNELS_OPTIMIZER_FACTORS
#define WEFT_KERNELS_OPTIMIZER_FACTORS
namespace weft::kernels {

// What a step multiplies with, computed in double and rounded once, as PyTorch does.
template <class T>
struct AdamFactors {
  explicit AdamFactors(const AdamStep& s)
      : keep(static_cast<T>(s.decoupled ? 1 - s.lr * s.weight_decay : 1)),
        decay(static_cast<T>(s.decoupled ? 0 : s.weight_decay)),
        beta1(static_cast<T>(s.beta1)),
        new1(static_cast<T>(1 - s.beta1)),
        beta2(static_cast<T>(s.beta2)),
        new2(static_cast<T>(1 - s.beta2)),
        root(static_cast<T>(1 / std::sqrt(1 - std::pow(s.beta2, static_cast<double>(s.step))))),
        eps(static_cast<T>(s.eps)),
        rate(static_cast<T>(s.lr / (1 - std::pow(s.beta1, static_cast<double>(s.step))))) {}

  T keep, decay, beta1, new1, beta2, new2, root, eps, rate;
};

// What Adam reads and writes beside the gradient; `max_exp_avg_sq` is null without AMSGrad.
template <class T>
struct AdamArrays {
  T *value, *exp_avg, *exp_avg_sq, *max_exp_avg_sq;

  AdamArrays from(std::int64_t i) const {
    return {value + i, exp_avg + i, exp_avg_sq + i, max_exp_avg_sq == nullptr ? nullptr : max_exp_avg_sq + i};
  }
};

}  // namespace weft::kernels
#endif

HWY_BEFORE_NAMESPACE();
namespace weft::kernels::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

template <class D>
HWY_INLINE void adam_at(D d, const AdamArrays<float>& a, const float* grad, std::int64_t i, const AdamFactors<float>& f) {
  const auto p = hn::Mul(hn::LoadU(d, a.value + i), hn::Set(d, f.keep));
  auto g = hn::LoadU(d, grad + i);
  if (f.decay != 0) g = hn::MulAdd(hn::Set(d, f.decay), p, g);
  const auto m = hn::MulAdd(hn::Set(d, f.beta1), hn::LoadU(d, a.exp_avg + i), hn::Mul(hn::Set(d, f.new1), g));
  auto v = hn::MulAdd(hn::Set(d, f.beta2), hn::LoadU(d, a.exp_avg_sq + i), hn::Mul(hn::Mul(hn::Set(d, f.new2), g), g));
  hn::StoreU(m, d, a.exp_avg + i);
  hn::StoreU(v, d, a.exp_avg_sq + i);
  if (a.max_exp_avg_sq != nullptr) {
    // Not Max, whose result for a NaN differs from one processor to another.
    const auto largest = hn::LoadU(d, a.max_exp_avg_sq + i);
    v = hn::IfThenElse(hn::Gt(largest, v), largest, v);
    hn::StoreU(v, d, a.max_exp_avg_sq + i);
  }
  const auto scale = hn::MulAdd(hn::Sqrt(v), hn::Set(d, f.root), hn::Set(d, f.eps));
  const auto direction = hn::IfThenZeroElse(hn::Eq(scale, hn::Zero(d)), hn::Div(m, scale));
  hn::StoreU(hn::NegMulAdd(hn::Set(d, f.rate), direction, p), d, a.value + i);
}

void adam_range(const AdamArrays<float>& a, const float* grad, std::int64_t n, const AdamFactors<float>& f) {
  const hn::ScalableTag<float> d;
  const hn::CappedTag<float, 1> one;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  std::int64_t i = 0;
  for (; i + lanes <= n; i += lanes) adam_at(d, a, grad, i, f);
  for (; i < n; ++i) adam_at(one, a, grad, i, f);
}

}  // namespace weft::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace weft::kernels {
namespace {

HWY_EXPORT(adam_range);

template <class T>
void plain_adam(const AdamArrays<T>& a, const T* grad, std::int64_t n, const AdamFactors<T>& f) {
  for (std::int64_t i = 0; i < n; ++i) {
    const T p = a.value[i] * f.keep;
    const T g = f.decay != 0 ? grad[i] + f.decay * p : grad[i];
    const T m = a.exp_avg[i] = f.beta1 * a.exp_avg[i] + f.new1 * g;
    T v = a.exp_avg_sq[i] = f.beta2 * a.exp_avg_sq[i] + f.new2 * g * g;
    if (a.max_exp_avg_sq != nullptr) v = a.max_exp_avg_sq[i] = a.max_exp_avg_sq[i] > v ? a.max_exp_avg_sq[i] : v;
    const T scale = std::sqrt(v) * f.root + f.eps;
    a.value[i] = p - f.rate * (scale == 0 ? T{0} : m / scale);
  }
}

// The branches don't depend on i: the compiler takes them out of the loop.
template <class T>
void plain_sgd(T* value, const T* grad, T* momentum_buffer, std::int64_t n, const SgdStep& s) {
  const auto lr = static_cast<T>(s.lr), momentum = static_cast<T>(s.momentum), decay = static_cast<T>(s.weight_decay),
             fresh = static_cast<T>(1 - s.dampening);
  const bool decays = s.weight_decay != 0, remembers = momentum_buffer != nullptr, first = s.first, nesterov = s.nesterov;
  for (std::int64_t i = 0; i < n; ++i) {
    // Read before the buffer is written: large tensors share their low address bits, and a load waits for such a store.
    const T old = value[i];
    T g = decays ? grad[i] + decay * old : grad[i];
    if (remembers) {
      const T buffer = first ? g : momentum * momentum_buffer[i] + fresh * g;
      momentum_buffer[i] = buffer;
      g = nesterov ? g + momentum * buffer : buffer;
    }
    value[i] = old - lr * g;
  }
}

// Calls function(T{}) with the element type, float or double.
template <class Function>
decltype(auto) by_dtype(const Tensor& x, const Function& function) {
  return x.dtype() == DType::f64 ? function(double{}) : function(float{});
}

template <class T>
AdamArrays<T> adam_arrays(Tensor& value, Tensor& exp_avg, Tensor& exp_avg_sq, Tensor& max_exp_avg_sq) {
  return {value.mutable_data<T>(), exp_avg.mutable_data<T>(), exp_avg_sq.mutable_data<T>(),
          max_exp_avg_sq.defined() ? max_exp_avg_sq.mutable_data<T>() : nullptr};
}

void update_adam(const AdamArrays<float>& a, const float* grad, std::int64_t n, const AdamFactors<float>& f) {
  HWY_DYNAMIC_DISPATCH(adam_range)(a, grad, n, f);
}

void update_adam(const AdamArrays<double>& a, const double* grad, std::int64_t n, const AdamFactors<double>& f) {
  plain_adam(a, grad, n, f);
}

template <class T, class Range>
void sgd_range(Tensor& value, const Tensor& grad, Tensor& momentum_buffer, const SgdStep& step, const Range& over) {
  T* to = value.mutable_data<T>();
  const T* from = grad.data<T>();
  T* memory = momentum_buffer.defined() ? momentum_buffer.mutable_data<T>() : nullptr;
  over([&, to, from, memory](std::int64_t begin, std::int64_t end) {
    plain_sgd(to + begin, from + begin, memory == nullptr ? nullptr : memory + begin, end - begin, step);
  });
}

}  // namespace

void adam(Tensor& value, const Tensor& grad, Tensor& exp_avg, Tensor& exp_avg_sq, Tensor& max_exp_avg_sq,
          const AdamStep& step) {
  by_dtype(value, [&]<class T>(T) {
    const AdamFactors<T> factors(step);
    const auto arrays = adam_arrays<T>(value, exp_avg, exp_avg_sq, max_exp_avg_sq);
    const T* g = grad.data<T>();
    parallel_chunks(value.numel(), elements_per_chunk, [&](std::int64_t begin, std::int64_t end) {
      update_adam(arrays.from(begin), g + begin, end - begin, factors);
    });
  });
}

void adam_rows(Tensor& value, const Tensor& grad, Tensor& exp_avg, Tensor& exp_avg_sq, const AdamStep& step) {
  if (value.numel() == 0) return;
  by_dtype(value, [&]<class T>(T) {
    const AdamFactors<T> factors(step);
    Tensor none;
    const auto arrays = adam_arrays<T>(value, exp_avg, exp_avg_sq, none);
    const T* g = grad.data<T>();
    const std::int64_t rows = value.rank() == 0 ? 1 : value.size(0), width = value.numel() / rows;
    parallel_chunks(rows, rows_per_chunk(width), [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = begin * width; i < end * width; i += width)
        if (std::any_of(g + i, g + i + width, [](T x) { return x != 0; })) update_adam(arrays.from(i), g + i, width, factors);
    });
  });
}

void sgd(Tensor& value, const Tensor& grad, Tensor& momentum_buffer, const SgdStep& step) {
  by_dtype(value, [&]<class T>(T) {
    sgd_range<T>(value, grad, momentum_buffer, step,
                 [&](const auto& body) { parallel_chunks(value.numel(), elements_per_chunk, body); });
  });
}

double sum_of_squares(const Tensor& x) {
  return by_dtype(x, [&]<class T>(T) {
    const T* from = x.data<T>();
    const std::int64_t count = x.numel();
    if (count <= elements_per_chunk) return squares(from, count);
    Tensor sums = Tensor::empty({(count + elements_per_chunk - 1) / elements_per_chunk}, f64);
    auto* to = sums.mutable_data<double>();
    parallel_chunks(count, elements_per_chunk, [&](std::int64_t begin, std::int64_t end) {
      to[begin / elements_per_chunk] = squares(from + begin, end - begin);
    });
    double total = 0;
    for (std::int64_t i = 0; i < sums.numel(); ++i) total += to[i];
    return total;
  });
}

namespace reference {

void adam(Tensor& value, const Tensor& grad, Tensor& exp_avg, Tensor& exp_avg_sq, Tensor& max_exp_avg_sq,
          const AdamStep& step) {
  by_dtype(value, [&]<class T>(T) {
    plain_adam(adam_arrays<T>(value, exp_avg, exp_avg_sq, max_exp_avg_sq), grad.data<T>(), value.numel(), AdamFactors<T>(step));
  });
}

void sgd(Tensor& value, const Tensor& grad, Tensor& momentum_buffer, const SgdStep& step) {
  by_dtype(value, [&]<class T>(T) {
    sgd_range<T>(value, grad, momentum_buffer, step, [&](const auto& body) { body(0, value.numel()); });
  });
}

double sum_of_squares(const Tensor& x) {
  return by_dtype(x, [&]<class T>(T) {
    double total = 0;
    for (const T element : std::span(x.data<T>(), static_cast<std::size_t>(x.numel())))
      total += static_cast<double>(element) * static_cast<double>(element);
    return total;
  });
}

}  // namespace reference
}  // namespace weft::kernels
#endif  // HWY_ONCE
