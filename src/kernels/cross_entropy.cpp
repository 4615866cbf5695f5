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

// logsumexp of a row of n > 0 logits, and their sum.
void RowLogSumExp(const float* x, std::size_t n, float* lse, float* total) {
  const hn::ScalableTag<float> d;
  const std::size_t lanes = hn::Lanes(d);
  auto most = hn::Set(d, x[0]);
  auto sum = hn::Zero(d);
  std::size_t j = 0;
  for (; j + lanes <= n; j += lanes) {
    const auto v = hn::LoadU(d, x + j);
    most = hn::Max(most, v);
    sum = hn::Add(sum, v);
  }
  float top = hn::GetLane(hn::MaxOfLanes(d, most)), all = hn::GetLane(hn::SumOfLanes(d, sum));
  for (; j < n; ++j) {
    top = x[j] > top ? x[j] : top;
    all += x[j];
  }
  const auto shift = hn::Set(d, top);
  auto exps = hn::Zero(d);
  for (j = 0; j + lanes <= n; j += lanes) exps = hn::Add(exps, Exp(d, hn::Sub(hn::LoadU(d, x + j), shift)));
  float rest = hn::GetLane(hn::SumOfLanes(d, exps));
  for (; j < n; ++j) rest += hn::GetLane(Exp(d, hn::Set(d, x[j] - top)));
  *lse = top + __builtin_logf(rest);
  *total = all;
}

// y = factor (exp(x - lse) - floor)
void RowBackward(const float* x, std::size_t n, float lse, float factor, float floor, float* y) {
  const hn::ScalableTag<float> d;
  const std::size_t lanes = hn::Lanes(d);
  const auto shift = hn::Set(d, lse), scale = hn::Set(d, factor), base = hn::Set(d, floor);
  std::size_t j = 0;
  for (; j + lanes <= n; j += lanes) {
    const auto p = Exp(d, hn::Sub(hn::LoadU(d, x + j), shift));
    hn::StoreU(hn::Mul(scale, hn::Sub(p, base)), d, y + j);
  }
  for (; j < n; ++j) y[j] = factor * (hn::GetLane(Exp(d, hn::Set(d, x[j] - lse))) - floor);
}

}  // namespace weft::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace weft::kernels {

HWY_EXPORT(RowLogSumExp);
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

// -(1 - s) x_t - s/V sum(x) + logsumexp
template <class T>
T loss_of(T logsumexp, T at_target, T total, double smoothing, std::int64_t classes) {
  const T floor = static_cast<T>(smoothing) / static_cast<T>(classes);
  const T smooth = smoothing > 0 ? floor * total : T{0};
  return logsumexp - (T{1} - static_cast<T>(smoothing)) * at_target - smooth;
}

template <class T, class LogSumExp>
void forward(const Tensor& logits, const CrossEntropyTargets& targets, Tensor& losses, Tensor& logsumexps,
             const LogSumExp& reduce) {
  const std::int64_t columns = logits.size(1);
  check_classes(targets, columns);
  const T* x = logits.data<T>();
  T *loss = losses.mutable_data<T>(), *lse = logsumexps.mutable_data<T>();
  for_rows(
      targets, columns,
      [&](std::int64_t i, std::int64_t target) {
        T total = 0;
        reduce(x + i * columns, static_cast<std::size_t>(columns), lse + i, &total);
        loss[i] = loss_of(lse[i], x[i * columns + target], total, targets.smoothing, columns);
      },
      [&](std::int64_t i) { loss[i] = lse[i] = 0; });
}

template <class T, class Backward>
void backward(const Tensor& logits, const CrossEntropyTargets& targets, const Tensor& logsumexps, const Tensor& factors,
              Tensor& result, const Backward& row) {
  const std::int64_t columns = logits.size(1);
  const T *x = logits.data<T>(), *lse = logsumexps.data<T>(), *factor = factors.data<T>();
  T* y = result.mutable_data<T>();
  const T floor = static_cast<T>(targets.smoothing) / static_cast<T>(columns);
  for_rows(
      targets, columns,
      [&](std::int64_t i, std::int64_t target) {
        row(x + i * columns, static_cast<std::size_t>(columns), lse[i], factor[i], floor, y + i * columns);
        y[i * columns + target] -= factor[i] * (T{1} - static_cast<T>(targets.smoothing));
      },
      [&](std::int64_t i) { std::fill_n(y + i * columns, columns, T{0}); });
}

struct PlainLogSumExp {
  template <class T>
  void operator()(const T* x, std::size_t n, T* lse, T* total) const {
    const T most = *std::max_element(x, x + n);
    T sum = 0;
    for (std::size_t j = 0; j < n; ++j) {
      sum += std::exp(x[j] - most);
      *total += x[j];
    }
    *lse = most + std::log(sum);
  }
};

struct PlainBackward {
  template <class T>
  void operator()(const T* x, std::size_t n, T lse, T factor, T floor, T* y) const {
    for (std::size_t j = 0; j < n; ++j) y[j] = factor * (std::exp(x[j] - lse) - floor);
  }
};

}  // namespace

void cross_entropy(const Tensor& logits, const CrossEntropyTargets& targets, Tensor& losses, Tensor& logsumexps) {
  if (logits.dtype() != f32) return reference::cross_entropy(logits, targets, losses, logsumexps);
  forward<float>(logits, targets, losses, logsumexps, HWY_DYNAMIC_DISPATCH(RowLogSumExp));
}

void cross_entropy_backward(const Tensor& logits, const CrossEntropyTargets& targets, const Tensor& logsumexps,
                            const Tensor& factors, Tensor& result) {
  if (logits.dtype() != f32) return reference::cross_entropy_backward(logits, targets, logsumexps, factors, result);
  backward<float>(logits, targets, logsumexps, factors, result, HWY_DYNAMIC_DISPATCH(RowBackward));
}

namespace reference {

void cross_entropy(const Tensor& logits, const CrossEntropyTargets& targets, Tensor& losses, Tensor& logsumexps) {
  if (logits.dtype() == f32) return forward<float>(logits, targets, losses, logsumexps, PlainLogSumExp{});
  forward<double>(logits, targets, losses, logsumexps, PlainLogSumExp{});
}

void cross_entropy_backward(const Tensor& logits, const CrossEntropyTargets& targets, const Tensor& logsumexps,
                            const Tensor& factors, Tensor& result) {
  if (logits.dtype() == f32) return backward<float>(logits, targets, logsumexps, factors, result, PlainBackward{});
  backward<double>(logits, targets, logsumexps, factors, result, PlainBackward{});
}

}  // namespace reference
}  // namespace weft::kernels
#endif
