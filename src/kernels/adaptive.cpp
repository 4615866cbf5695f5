#include "kernels/adaptive.hpp"

#include <cmath>
#include <variant>

#include "kernels/parallel.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/adaptive.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#ifndef WEFT_KERNELS_ADAPTIVE_FACTORS
#define WEFT_KERNELS_ADAPTIVE_FACTORS
namespace weft::kernels {

// Value, gradient and state in the order of the function's arguments; null where not kept.
template <class T>
struct UpdateArrays {
  T* value;
  const T* grad;
  T *first, *second, *third;
};

// What a step multiplies with, computed in double and rounded once, as PyTorch does. `new_...` is 1 less the share that stays.

template <class T>
struct RmspropFactors {
  explicit RmspropFactors(const RmspropStep& s)
      : lr(static_cast<T>(s.lr)),
        alpha(static_cast<T>(s.alpha)),
        new_alpha(static_cast<T>(1 - s.alpha)),
        eps(static_cast<T>(s.eps)),
        momentum(static_cast<T>(s.momentum)),
        decay(static_cast<T>(s.weight_decay)) {}
  T lr, alpha, new_alpha, eps, momentum, decay;
};

template <class T>
struct AdagradFactors {
  explicit AdagradFactors(const AdagradStep& s)
      : lr(static_cast<T>(s.lr)), eps(static_cast<T>(s.eps)), decay(static_cast<T>(s.weight_decay)) {}
  T lr, eps, decay;
};

template <class T>
struct AdadeltaFactors {
  explicit AdadeltaFactors(const AdadeltaStep& s)
      : lr(static_cast<T>(s.lr)),
        rho(static_cast<T>(s.rho)),
        new_rho(static_cast<T>(1 - s.rho)),
        eps(static_cast<T>(s.eps)),
        decay(static_cast<T>(s.weight_decay)) {}
  T lr, rho, new_rho, eps, decay;
};

template <class T>
struct NadamFactors {
  explicit NadamFactors(const NadamStep& s)
      : grad_rate(static_cast<T>(s.grad_rate)),
        mean_rate(static_cast<T>(s.mean_rate)),
        beta1(static_cast<T>(s.beta1)),
        new1(static_cast<T>(1 - s.beta1)),
        beta2(static_cast<T>(s.beta2)),
        new2(static_cast<T>(1 - s.beta2)),
        root(static_cast<T>(1 / std::sqrt(s.square_correction))),
        eps(static_cast<T>(s.eps)),
        decay(static_cast<T>(s.weight_decay)) {}
  T grad_rate, mean_rate, beta1, new1, beta2, new2, root, eps, decay;
};

template <class T>
struct LionFactors {
  explicit LionFactors(const LionStep& s)
      : lr(static_cast<T>(s.lr)),
        keep(static_cast<T>(1 - s.lr * s.weight_decay)),
        beta1(static_cast<T>(s.beta1)),
        new1(static_cast<T>(1 - s.beta1)),
        beta2(static_cast<T>(s.beta2)),
        new2(static_cast<T>(1 - s.beta2)) {}
  T lr, keep, beta1, new1, beta2, new2;
};

template <class T>
struct LambFactors {
  explicit LambFactors(const LambStep& s)
      : beta1(static_cast<T>(s.beta1)),
        new1(static_cast<T>(1 - s.beta1)),
        beta2(static_cast<T>(s.beta2)),
        new2(static_cast<T>(1 - s.beta2)),
        mean(static_cast<T>(1 / s.mean_correction)),
        root(static_cast<T>(1 / std::sqrt(s.square_correction))),
        eps(static_cast<T>(s.eps)),
        decay(static_cast<T>(s.weight_decay)) {}
  T beta1, new1, beta2, new2, mean, root, eps, decay;
};

template <class T>
using UpdateFactors =
    std::variant<RmspropFactors<T>, AdagradFactors<T>, AdadeltaFactors<T>, NadamFactors<T>, LionFactors<T>, LambFactors<T>>;

}  // namespace weft::kernels
#endif

HWY_BEFORE_NAMESPACE();
namespace weft::kernels::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

template <class D, class V, class T>
HWY_INLINE V decayed(D d, V value, V grad, T decay) {
  return decay == 0 ? grad : hn::MulAdd(hn::Set(d, decay), value, grad);
}

// share * mean + (1 - share) * x, stored.
template <class D, class V, class T>
HWY_INLINE V running_mean(D d, T* mean, V x, T share, T new_share) {
  const auto result = hn::MulAdd(hn::Set(d, share), hn::LoadU(d, mean), hn::Mul(hn::Set(d, new_share), x));
  hn::StoreU(result, d, mean);
  return result;
}

template <class D, class V, class T>
HWY_INLINE V running_square(D d, T* mean, V x, T share, T new_share) {
  const auto result = hn::MulAdd(hn::Set(d, share), hn::LoadU(d, mean), hn::Mul(hn::Mul(hn::Set(d, new_share), x), x));
  hn::StoreU(result, d, mean);
  return result;
}

template <class D, class V>
HWY_INLINE V quotient_or_0(D d, V x, V divisor) {
  return hn::IfThenZeroElse(hn::Eq(divisor, hn::Zero(d)), hn::Div(x, divisor));
}

template <class D, class T>
HWY_INLINE void update(D d, const UpdateArrays<T>& a, std::int64_t i, const RmspropFactors<T>& f) {
  const auto p = hn::LoadU(d, a.value + i);
  const auto g = decayed(d, p, hn::LoadU(d, a.grad + i), f.decay);
  auto variance = running_square(d, a.first + i, g, f.alpha, f.new_alpha);
  if (a.third != nullptr) {
    const auto mean = running_mean(d, a.third + i, g, f.alpha, f.new_alpha);
    variance = hn::NegMulAdd(mean, mean, variance);
    // Equal gradients can round to less than 0, whose root would be NaN; a NaN stays one.
    variance = hn::IfThenZeroElse(hn::Lt(variance, hn::Zero(d)), variance);
  }
  auto direction = quotient_or_0(d, g, hn::Add(hn::Sqrt(variance), hn::Set(d, f.eps)));
  if (a.second != nullptr) {
    direction = hn::MulAdd(hn::Set(d, f.momentum), hn::LoadU(d, a.second + i), direction);
    hn::StoreU(direction, d, a.second + i);
  }
  hn::StoreU(hn::NegMulAdd(hn::Set(d, f.lr), direction, p), d, a.value + i);
}

template <class D, class T>
HWY_INLINE void update(D d, const UpdateArrays<T>& a, std::int64_t i, const AdagradFactors<T>& f) {
  const auto p = hn::LoadU(d, a.value + i);
  const auto g = decayed(d, p, hn::LoadU(d, a.grad + i), f.decay);
  const auto sum = hn::MulAdd(g, g, hn::LoadU(d, a.first + i));
  hn::StoreU(sum, d, a.first + i);
  const auto direction = quotient_or_0(d, g, hn::Add(hn::Sqrt(sum), hn::Set(d, f.eps)));
  hn::StoreU(hn::NegMulAdd(hn::Set(d, f.lr), direction, p), d, a.value + i);
}

template <class D, class T>
HWY_INLINE void update(D d, const UpdateArrays<T>& a, std::int64_t i, const AdadeltaFactors<T>& f) {
  const auto p = hn::LoadU(d, a.value + i);
  const auto g = decayed(d, p, hn::LoadU(d, a.grad + i), f.decay);
  const auto eps = hn::Set(d, f.eps);
  const auto square = running_square(d, a.first + i, g, f.rho, f.new_rho);
  const auto before = hn::Sqrt(hn::Add(hn::LoadU(d, a.second + i), eps));
  const auto delta = hn::Mul(quotient_or_0(d, before, hn::Sqrt(hn::Add(square, eps))), g);
  running_square(d, a.second + i, delta, f.rho, f.new_rho);
  hn::StoreU(hn::NegMulAdd(hn::Set(d, f.lr), delta, p), d, a.value + i);
}

template <class D, class T>
HWY_INLINE void update(D d, const UpdateArrays<T>& a, std::int64_t i, const NadamFactors<T>& f) {
  const auto p = hn::LoadU(d, a.value + i);
  const auto g = decayed(d, p, hn::LoadU(d, a.grad + i), f.decay);
  const auto m = running_mean(d, a.first + i, g, f.beta1, f.new1);
  const auto v = running_square(d, a.second + i, g, f.beta2, f.new2);
  const auto step = hn::MulAdd(hn::Set(d, f.mean_rate), m, hn::Mul(hn::Set(d, f.grad_rate), g));
  const auto scale = hn::MulAdd(hn::Sqrt(v), hn::Set(d, f.root), hn::Set(d, f.eps));
  hn::StoreU(hn::Sub(p, quotient_or_0(d, step, scale)), d, a.value + i);
}

template <class D, class T>
HWY_INLINE void update(D d, const UpdateArrays<T>& a, std::int64_t i, const LionFactors<T>& f) {
  const auto zero = hn::Zero(d), one = hn::Set(d, T{1});
  const auto g = hn::LoadU(d, a.grad + i);
  const auto c = hn::MulAdd(hn::Set(d, f.beta1), hn::LoadU(d, a.first + i), hn::Mul(hn::Set(d, f.new1), g));
  // 0 and NaN are their own sign.
  const auto sign = hn::IfThenElse(hn::Gt(c, zero), one, hn::IfThenElse(hn::Lt(c, zero), hn::Neg(one), c));
  const auto p = hn::Mul(hn::LoadU(d, a.value + i), hn::Set(d, f.keep));
  hn::StoreU(hn::NegMulAdd(hn::Set(d, f.lr), sign, p), d, a.value + i);
  running_mean(d, a.first + i, g, f.beta2, f.new2);
}

template <class D, class T>
HWY_INLINE void update(D d, const UpdateArrays<T>& a, std::int64_t i, const LambFactors<T>& f) {
  const auto g = hn::LoadU(d, a.grad + i);
  const auto m = running_mean(d, a.first + i, g, f.beta1, f.new1);
  const auto v = running_square(d, a.second + i, g, f.beta2, f.new2);
  const auto scale = hn::MulAdd(hn::Sqrt(v), hn::Set(d, f.root), hn::Set(d, f.eps));
  const auto direction = quotient_or_0(d, hn::Mul(m, hn::Set(d, f.mean)), scale);
  hn::StoreU(decayed(d, hn::LoadU(d, a.value + i), direction, f.decay), d, a.third + i);
}

template <class T>
struct Walk {
  UpdateArrays<T> arrays;
  std::int64_t begin, end;

  template <class Factors>
  void operator()(const Factors& factors) const {
    const hn::ScalableTag<T> d;
    const hn::CappedTag<T, 1> one;
    const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
    std::int64_t i = begin;
    for (; i + lanes <= end; i += lanes) update(d, arrays, i, factors);
    for (; i < end; ++i) update(one, arrays, i, factors);
  }
};

void update_f32(const UpdateArrays<float>& arrays, std::int64_t begin, std::int64_t end, const UpdateFactors<float>& factors) {
  std::visit(Walk<float>{arrays, begin, end}, factors);
}

void update_f64(const UpdateArrays<double>& arrays, std::int64_t begin, std::int64_t end,
                const UpdateFactors<double>& factors) {
  std::visit(Walk<double>{arrays, begin, end}, factors);
}

}  // namespace weft::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace weft::kernels {
namespace {

HWY_EXPORT(update_f32);
HWY_EXPORT(update_f64);

void update(const UpdateArrays<float>& arrays, std::int64_t count, const UpdateFactors<float>& factors) {
  parallel_chunks(count, elements_per_chunk, [&](std::int64_t begin, std::int64_t end) {
    HWY_DYNAMIC_DISPATCH(update_f32)(arrays, begin, end, factors);
  });
}

void update(const UpdateArrays<double>& arrays, std::int64_t count, const UpdateFactors<double>& factors) {
  parallel_chunks(count, elements_per_chunk, [&](std::int64_t begin, std::int64_t end) {
    HWY_DYNAMIC_DISPATCH(update_f64)(arrays, begin, end, factors);
  });
}

template <class T>
T* data_of(Tensor& tensor) {
  return tensor.defined() ? tensor.mutable_data<T>() : nullptr;
}

// Factors<T>(step) over value, gradient and state.
template <template <class> class Factors, class Step>
void run(Tensor& value, const Tensor& grad, Tensor& first, Tensor& second, Tensor& third, const Step& step) {
  const auto with = [&]<class T>(T) {
    update(UpdateArrays<T>{.value = data_of<T>(value),
                           .grad = grad.data<T>(),
                           .first = data_of<T>(first),
                           .second = data_of<T>(second),
                           .third = data_of<T>(third)},
           value.numel(), Factors<T>(step));
  };
  value.dtype() == DType::f64 ? with(double{}) : with(float{});
}

}  // namespace

void rmsprop(Tensor& value, const Tensor& grad, Tensor& square_avg, Tensor& momentum_buffer, Tensor& grad_avg,
             const RmspropStep& step) {
  run<RmspropFactors>(value, grad, square_avg, momentum_buffer, grad_avg, step);
}

void adagrad(Tensor& value, const Tensor& grad, Tensor& sum, const AdagradStep& step) {
  Tensor none;
  run<AdagradFactors>(value, grad, sum, none, none, step);
}

void adadelta(Tensor& value, const Tensor& grad, Tensor& square_avg, Tensor& acc_delta, const AdadeltaStep& step) {
  Tensor none;
  run<AdadeltaFactors>(value, grad, square_avg, acc_delta, none, step);
}

void nadam(Tensor& value, const Tensor& grad, Tensor& exp_avg, Tensor& exp_avg_sq, const NadamStep& step) {
  Tensor none;
  run<NadamFactors>(value, grad, exp_avg, exp_avg_sq, none, step);
}

void lion(Tensor& value, const Tensor& grad, Tensor& exp_avg, const LionStep& step) {
  Tensor none;
  run<LionFactors>(value, grad, exp_avg, none, none, step);
}

void lamb_direction(Tensor& value, Tensor& grad, Tensor& exp_avg, Tensor& exp_avg_sq, const LambStep& step) {
  run<LambFactors>(value, grad, exp_avg, exp_avg_sq, grad, step);
}

}  // namespace weft::kernels
#endif  // HWY_ONCE
