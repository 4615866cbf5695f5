#include "kernels/optimizer.hpp"

#include <array>
#include <cmath>
#include <span>
#include <type_traits>

#include "kernels/parallel.hpp"

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

}  // namespace weft::kernels
#endif

HWY_BEFORE_NAMESPACE();
namespace weft::kernels::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

template <class D>
HWY_INLINE void adam_at(D d, float* value, const float* grad, float* exp_avg, float* exp_avg_sq, const AdamFactors<float>& f) {
  const auto p = hn::Mul(hn::LoadU(d, value), hn::Set(d, f.keep));
  auto g = hn::LoadU(d, grad);
  if (f.decay != 0) g = hn::MulAdd(hn::Set(d, f.decay), p, g);
  const auto m = hn::MulAdd(hn::Set(d, f.beta1), hn::LoadU(d, exp_avg), hn::Mul(hn::Set(d, f.new1), g));
  const auto v = hn::MulAdd(hn::Set(d, f.beta2), hn::LoadU(d, exp_avg_sq), hn::Mul(hn::Mul(hn::Set(d, f.new2), g), g));
  const auto scale = hn::MulAdd(hn::Sqrt(v), hn::Set(d, f.root), hn::Set(d, f.eps));
  hn::StoreU(m, d, exp_avg);
  hn::StoreU(v, d, exp_avg_sq);
  const auto direction = hn::IfThenZeroElse(hn::Eq(scale, hn::Zero(d)), hn::Div(m, scale));
  hn::StoreU(hn::NegMulAdd(hn::Set(d, f.rate), direction, p), d, value);
}

void adam_range(float* value, const float* grad, float* exp_avg, float* exp_avg_sq, std::int64_t n,
                const AdamFactors<float>& f) {
  const hn::ScalableTag<float> d;
  const hn::CappedTag<float, 1> one;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  std::int64_t i = 0;
  for (; i + lanes <= n; i += lanes) adam_at(d, value + i, grad + i, exp_avg + i, exp_avg_sq + i, f);
  for (; i < n; ++i) adam_at(one, value + i, grad + i, exp_avg + i, exp_avg_sq + i, f);
}

}  // namespace weft::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace weft::kernels {
namespace {

HWY_EXPORT(adam_range);

template <class T>
void plain_adam(T* value, const T* grad, T* exp_avg, T* exp_avg_sq, std::int64_t n, const AdamFactors<T>& f) {
  for (std::int64_t i = 0; i < n; ++i) {
    const T p = value[i] * f.keep;
    const T g = f.decay != 0 ? grad[i] + f.decay * p : grad[i];
    exp_avg[i] = f.beta1 * exp_avg[i] + f.new1 * g;
    exp_avg_sq[i] = f.beta2 * exp_avg_sq[i] + f.new2 * g * g;
    const T scale = std::sqrt(exp_avg_sq[i]) * f.root + f.eps;
    value[i] = p - f.rate * (scale == 0 ? T{0} : exp_avg[i] / scale);
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

// Eight running sums whatever the vector width.
template <class T>
double squares(const T* x, std::int64_t n) {
  std::array<double, 8> sums{};
  std::int64_t i = 0;
  for (; i + 8 <= n; i += 8)
    for (std::size_t k = 0; k < 8; ++k) {
      const auto element = static_cast<double>(x[i + static_cast<std::int64_t>(k)]);
      sums[k] += element * element;
    }
  for (; i < n; ++i) sums[0] += static_cast<double>(x[i]) * static_cast<double>(x[i]);
  return ((sums[0] + sums[1]) + (sums[2] + sums[3])) + ((sums[4] + sums[5]) + (sums[6] + sums[7]));
}

// Calls function(T{}) with the element type, float or double.
template <class Function>
decltype(auto) by_dtype(const Tensor& x, const Function& function) {
  return x.dtype() == DType::f64 ? function(double{}) : function(float{});
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

void adam(Tensor& value, const Tensor& grad, Tensor& exp_avg, Tensor& exp_avg_sq, const AdamStep& step) {
  by_dtype(value, [&]<class T>(T) {
    const AdamFactors<T> factors(step);
    T* p = value.mutable_data<T>();
    const T* g = grad.data<T>();
    T* m = exp_avg.mutable_data<T>();
    T* v = exp_avg_sq.mutable_data<T>();
    parallel_chunks(value.numel(), elements_per_chunk, [&](std::int64_t begin, std::int64_t end) {
      if constexpr (std::is_same_v<T, float>)
        HWY_DYNAMIC_DISPATCH(adam_range)(p + begin, g + begin, m + begin, v + begin, end - begin, factors);
      else
        plain_adam(p + begin, g + begin, m + begin, v + begin, end - begin, factors);
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

void adam(Tensor& value, const Tensor& grad, Tensor& exp_avg, Tensor& exp_avg_sq, const AdamStep& step) {
  by_dtype(value, [&]<class T>(T) {
    plain_adam(value.mutable_data<T>(), grad.data<T>(), exp_avg.mutable_data<T>(), exp_avg_sq.mutable_data<T>(), value.numel(),
               AdamFactors<T>(step));
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
