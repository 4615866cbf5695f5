#include <cmath>
#include <limits>

#include "base/fail.hpp"
#include "kernels/elementwise_walk.hpp"
#include "kernels/reduce.hpp"
#include "kernels/reduce_split.hpp"
#include "tensor/copy.hpp"

namespace weft::kernels {
namespace {

// Sums of f32 are held in f64, those of integers in i64.
template <class T>
using Wide = std::conditional_t<std::is_floating_point_v<T>, double, std::int64_t>;

template <class T>
T larger(T a, T b) {
  return a > b || a != a ? a : b;
}

template <class T>
Wide<T> sum_of(const Walk<1>& walk, const T* x) {
  Wide<T> total = 0;
  walk.range(0, walk.count, [&](const auto& at, std::int64_t n) {
    const T* row = x + at[0];
    const std::int64_t step = walk.inner_steps()[0];
    for (std::int64_t i = 0; i < n; ++i) total += static_cast<Wide<T>>(row[i * step]);
  });
  return total;
}

template <class T>
T max_of(const Walk<1>& walk, const T* x) {
  T best = std::numeric_limits<T>::has_infinity ? -std::numeric_limits<T>::infinity() : std::numeric_limits<T>::lowest();
  walk.range(0, walk.count, [&](const auto& at, std::int64_t n) {
    const T* row = x + at[0];
    const std::int64_t step = walk.inner_steps()[0];
    for (std::int64_t i = 0; i < n; ++i) best = larger(best, row[i * step]);
  });
  return best;
}

template <class T>
T logsumexp_of(const Walk<1>& walk, const T* x) {
  const T best = max_of(walk, x);
  if (!std::isfinite(best)) return best;
  double total = 0;
  walk.range(0, walk.count, [&](const auto& at, std::int64_t n) {
    const T* row = x + at[0];
    const std::int64_t step = walk.inner_steps()[0];
    for (std::int64_t i = 0; i < n; ++i) total += static_cast<double>(std::exp(row[i * step] - best));
  });
  return best + static_cast<T>(std::log(total));
}

// out[i] = function(the elements that output element i stands for).
template <class T, class Result, class Function>
void reduce_each(const Tensor& x, const Split& parts, Tensor& out, const Function& function) {
  const Walk<1>&kept = parts.kept, &reduced = parts.reduced;
  const auto* from = x.data<T>();
  auto* to = out.mutable_data<Result>();
  parallel_chunks(kept.count, rows_per_chunk(reduced.count), [&](std::int64_t begin, std::int64_t end) {
    std::int64_t place = begin;
    kept.range(begin, end, [&](const auto& at, std::int64_t n) {
      for (std::int64_t i = 0; i < n; ++i)
        to[place++] = static_cast<Result>(function(reduced, from + at[0] + i * kept.inner_steps()[0]));
    });
  });
}

template <class T>
void logsumexp_into(const Tensor& x, const Split& parts, Tensor& out) {
  reduce_each<T, T>(x, parts, out, [](const Walk<1>& walk, const T* from) { return logsumexp_of(walk, from); });
}

}  // namespace

namespace reference {

Tensor reduce(Reduction reduction, const Tensor& x, std::span<const int> axes, bool keepdim) {
  const Split parts = split(x, axes, keepdim);
  const DType type = reduction == Reduction::sum && !is_floating(x.dtype()) ? i64 : x.dtype();
  Tensor out = Tensor::empty(parts.result, type);
  if (reduction == Reduction::logsumexp) {
    check<DTypeError>(is_floating(type), "logsumexp", "elements of {} are not supported", name_of(type));
    if (type == f32)
      logsumexp_into<float>(x, parts, out);
    else
      logsumexp_into<double>(x, parts, out);
    return out;
  }
  dispatch(x.dtype(), [&]<class T>() {
    using Sum = std::conditional_t<std::is_floating_point_v<T>, T, std::int64_t>;
    if (reduction == Reduction::sum)
      reduce_each<T, Sum>(x, parts, out, [](const Walk<1>& walk, const T* from) { return sum_of(walk, from); });
    else
      reduce_each<T, T>(x, parts, out, [](const Walk<1>& walk, const T* from) { return max_of(walk, from); });
  });
  return out;
}

}  // namespace reference
}  // namespace weft::kernels
