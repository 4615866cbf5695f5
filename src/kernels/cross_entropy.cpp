#include "kernels/cross_entropy.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/fail.hpp"
#include "kernels/parallel.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cross_entropy.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "kernels/vector_math-inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace weft::kernels::HWY_NAMESPACE {

// The largest of n > 0 logits, log(sum exp(x - top)), and sum(top - x).
void RowNormaliser(const float* x, std::size_t n, float* top_out, float* rest_out, float* total_out) {
  const hn::ScalableTag<float> d;
  const std::size_t lanes = hn::Lanes(d);
  auto most = hn::Set(d, x[0]);
  std::size_t j = 0;
  for (; j + lanes <= n; j += lanes) most = hn::Max(most, hn::LoadU(d, x + j));
  float top = hn::GetLane(hn::MaxOfLanes(d, most));
  for (; j < n; ++j) top = x[j] > top ? x[j] : top;
  const auto shift = hn::Set(d, top);
  auto exps = hn::Zero(d), below = hn::Zero(d);
  for (j = 0; j + lanes <= n; j += lanes) {
    const auto difference = hn::Sub(hn::LoadU(d, x + j), shift);
    exps = hn::Add(exps, Exp(d, difference));
    below = hn::Sub(below, difference);
  }
  float sum = hn::GetLane(hn::SumOfLanes(d, exps)), total = hn::GetLane(hn::SumOfLanes(d, below));
  for (; j < n; ++j) {
    sum += hn::GetLane(Exp(d, hn::Set(d, x[j] - top)));
    total += top - x[j];
  }
  *top_out = top;
  *rest_out = __builtin_logf(sum);
  *total_out = total;
}

// y = factor (exp(x - top - rest) - floor)
void RowBackward(const float* x, std::size_t n, float top, float rest, float factor, float floor, float* y) {
  const hn::ScalableTag<float> d;
  const std::size_t lanes = hn::Lanes(d);
  const auto shift = hn::Set(d, top), log_sum = hn::Set(d, rest), scale = hn::Set(d, factor), base = hn::Set(d, floor);
  std::size_t j = 0;
  for (; j + lanes <= n; j += lanes) {
    const auto p = Exp(d, hn::Sub(hn::Sub(hn::LoadU(d, x + j), shift), log_sum));
    hn::StoreU(hn::Mul(scale, hn::Sub(p, base)), d, y + j);
  }
  for (; j < n; ++j) y[j] = factor * (hn::GetLane(Exp(d, hn::Set(d, x[j] - top - rest))) - floor);
}

}  // namespace weft::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace weft::kernels {

HWY_EXPORT(RowNormaliser);
HWY_EXPORT(RowBackward);

namespace {

void check_classes(const CrossEntropyTargets& targets, std::int64_t classes) {
  const std::int64_t* target = targets.classes.data<std::int64_t>();
  for (std::int64_t row = 0; row < targets.classes.numel(); ++row)
    check<IndexError>((target[row] >= 0 && target[row] < classes) || target[row] == targets.ignore_index, "cross_entropy",
                      "target {} at position {} is outside 0 to {} (and isn't ignore_index {})", target[row], row, classes - 1,
                      targets.ignore_index);
}

// For each row that counts: row(i, class). The others get other(i).
template <class Row, class Other>
void for_rows(const CrossEntropyTargets& targets, std::int64_t columns, const Row& row, const Other& other) {
  const std::int64_t* target = targets.classes.data<std::int64_t>();
  parallel_chunks(targets.classes.numel(), rows_per_chunk(columns), [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) target[i] == targets.ignore_index ? other(i) : row(i, target[i]);
  });
}

// rest + (1 - s) (top - x_t) + s/V sum(top - x): differences from the largest keep the digits of large logits. A term of
// weight 0 doesn't count, infinite or not.
template <class T>
T loss_of(T top, T rest, T at_target, T total, double smoothing, std::int64_t classes) {
  T loss = rest;
  if (smoothing < 1) loss += (T{1} - static_cast<T>(smoothing)) * (top - at_target);
  if (smoothing > 0) loss += static_cast<T>(smoothing) / static_cast<T>(classes) * total;
  return loss;
}

template <class T, class Normaliser>
void forward(const Tensor& logits, const CrossEntropyTargets& targets, Tensor& losses, Tensor& normalisers,
             const Normaliser& reduce) {
  const std::int64_t columns = logits.size(1);
  check_classes(targets, columns);
  const T* x = logits.data<T>();
  T *loss = losses.mutable_data<T>(), *normaliser = normalisers.mutable_data<T>();
  for_rows(
      targets, columns,
      [&](std::int64_t i, std::int64_t target) {
        T *top = normaliser + 2 * i, *rest = top + 1, total = 0;
        reduce(x + i * columns, static_cast<std::size_t>(columns), top, rest, &total);
        loss[i] = loss_of(*top, *rest, x[i * columns + target], total, targets.smoothing, columns);
      },
      [&](std::int64_t i) { loss[i] = normaliser[2 * i] = normaliser[2 * i + 1] = 0; });
}

template <class T, class Backward>
void backward(const Tensor& logits, const CrossEntropyTargets& targets, const Tensor& normalisers, const Tensor& factors,
              Tensor& result, const Backward& row) {
  const std::int64_t columns = logits.size(1);
  const T *x = logits.data<T>(), *normaliser = normalisers.data<T>(), *factor = factors.data<T>();
  T* y = result.mutable_data<T>();
  const T floor = static_cast<T>(targets.smoothing) / static_cast<T>(columns);
  const auto nothing = [&](std::int64_t i) { std::fill_n(y + i * columns, columns, T{0}); };
  for_rows(
      targets, columns,
      [&](std::int64_t i, std::int64_t target) {
        if (factor[i] == 0) return nothing(i);
        row(x + i * columns, static_cast<std::size_t>(columns), normaliser[2 * i], normaliser[2 * i + 1], factor[i], floor,
            y + i * columns);
        y[i * columns + target] -= factor[i] * (T{1} - static_cast<T>(targets.smoothing));
      },
      nothing);
}

struct PlainNormaliser {
  template <class T>
  void operator()(const T* x, std::size_t n, T* top, T* rest, T* total) const {
    *top = *std::max_element(x, x + n);
    T sum = 0;
    for (std::size_t j = 0; j < n; ++j) {
      sum += std::exp(x[j] - *top);
      *total += *top - x[j];
    }
    *rest = std::log(sum);
  }
};

struct PlainBackward {
  template <class T>
  void operator()(const T* x, std::size_t n, T top, T rest, T factor, T floor, T* y) const {
    for (std::size_t j = 0; j < n; ++j) y[j] = factor * (std::exp(x[j] - top - rest) - floor);
  }
};

}  // namespace

void cross_entropy(const Tensor& logits, const CrossEntropyTargets& targets, Tensor& losses, Tensor& normalisers) {
  if (logits.dtype() != f32) return reference::cross_entropy(logits, targets, losses, normalisers);
  forward<float>(logits, targets, losses, normalisers, HWY_DYNAMIC_DISPATCH(RowNormaliser));
}

void cross_entropy_backward(const Tensor& logits, const CrossEntropyTargets& targets, const Tensor& normalisers,
                            const Tensor& factors, Tensor& result) {
  if (logits.dtype() != f32) return reference::cross_entropy_backward(logits, targets, normalisers, factors, result);
  backward<float>(logits, targets, normalisers, factors, result, HWY_DYNAMIC_DISPATCH(RowBackward));
}

namespace reference {

void cross_entropy(const Tensor& logits, const CrossEntropyTargets& targets, Tensor& losses, Tensor& normalisers) {
  if (logits.dtype() == f32) return forward<float>(logits, targets, losses, normalisers, PlainNormaliser{});
  forward<double>(logits, targets, losses, normalisers, PlainNormaliser{});
}

void cross_entropy_backward(const Tensor& logits, const CrossEntropyTargets& targets, const Tensor& normalisers,
                            const Tensor& factors, Tensor& result) {
  if (logits.dtype() == f32) return backward<float>(logits, targets, normalisers, factors, result, PlainBackward{});
  backward<double>(logits, targets, normalisers, factors, result, PlainBackward{});
}

}  // namespace reference
}  // namespace weft::kernels
#endif
