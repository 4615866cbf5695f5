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

// Calls body(element) for each.
template <class T, class Body>
void each_element(const Walk<1>& walk, const T* x, const Body& body) {
  walk.range(0, walk.count, [&](const auto& at, std::int64_t n) {
    const T* row = x + at[0];
    const std::int64_t step = walk.inner_steps()[0];
    for (std::int64_t i = 0; i < n; ++i) body(row[i * step]);
  });
}

template <class T>
Wide<T> sum_of(const Walk<1>& walk, const T* x) {
  Wide<T> total = 0;
  each_element(walk, x, [&](T element) { total += static_cast<Wide<T>>(element); });
  return total;
}

// Integers wrap around.
template <class T>
Wide<T> prod_of(const Walk<1>& walk, const T* x) {
  using Factor = std::conditional_t<std::is_floating_point_v<T>, double, std::uint64_t>;
  Factor total = 1;
  each_element(walk, x, [&](T element) { total *= static_cast<Factor>(element); });
  return static_cast<Wide<T>>(total);
}

template <class T>
T max_of(const Walk<1>& walk, const T* x) {
  T best = std::numeric_limits<T>::has_infinity ? -std::numeric_limits<T>::infinity() : std::numeric_limits<T>::lowest();
  each_element(walk, x, [&](T element) { best = best > element || best != best ? best : element; });
  return best;
}

template <class T>
T min_of(const Walk<1>& walk, const T* x) {
  T best = std::numeric_limits<T>::has_infinity ? std::numeric_limits<T>::infinity() : std::numeric_limits<T>::max();
  each_element(walk, x, [&](T element) { best = best < element || best != best ? best : element; });
  return best;
}

template <class T>
double norm_of(const Walk<1>& walk, const T* x) {
  double total = 0;
  each_element(walk, x, [&](T element) { total += static_cast<double>(element) * static_cast<double>(element); });
  return std::sqrt(total);
}

template <class T>
T logsumexp_of(const Walk<1>& walk, const T* x) {
  const T best = max_of(walk, x);
  if (!std::isfinite(best)) return best;
  double total = 0;
  each_element(walk, x, [&](T element) { total += static_cast<double>(std::exp(element - best)); });
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

const char* name_of(Reduction reduction) {
  constexpr const char* names[] = {"sum", "prod", "max", "min", "norm", "logsumexp"};
  return names[static_cast<std::size_t>(reduction)];
}

// Reductions that need f32 or f64.
template <class T>
void reduce_floating(Reduction reduction, const Tensor& x, const Split& parts, Tensor& out) {
  if (reduction == Reduction::norm)
    reduce_each<T, T>(x, parts, out, [](const Walk<1>& walk, const T* from) { return norm_of(walk, from); });
  else
    reduce_each<T, T>(x, parts, out, [](const Walk<1>& walk, const T* from) { return logsumexp_of(walk, from); });
}

}  // namespace

namespace reference {

Tensor reduce(Reduction reduction, const Tensor& x, std::span<const int> axes, bool keepdim) {
  const Split parts = split(x, axes, keepdim);
  const bool accumulates = reduction == Reduction::sum || reduction == Reduction::prod;
  const DType type = accumulates && !is_floating(x.dtype()) ? i64 : x.dtype();
  Tensor out = Tensor::empty(parts.result, type);
  if (reduction == Reduction::logsumexp || reduction == Reduction::norm) {
    check<DTypeError>(is_floating(type), name_of(reduction), "elements of {} are not supported", x);
    if (type == f32)
      reduce_floating<float>(reduction, x, parts, out);
    else
      reduce_floating<double>(reduction, x, parts, out);
    return out;
  }
  dispatch(x.dtype(), [&]<class T>() {
    using Sum = std::conditional_t<std::is_floating_point_v<T>, T, std::int64_t>;
    if (reduction == Reduction::sum)
      reduce_each<T, Sum>(x, parts, out, [](const Walk<1>& walk, const T* from) { return sum_of(walk, from); });
    else if (reduction == Reduction::prod)
      reduce_each<T, Sum>(x, parts, out, [](const Walk<1>& walk, const T* from) { return prod_of(walk, from); });
    else if (reduction == Reduction::max)
      reduce_each<T, T>(x, parts, out, [](const Walk<1>& walk, const T* from) { return max_of(walk, from); });
    else
      reduce_each<T, T>(x, parts, out, [](const Walk<1>& walk, const T* from) { return min_of(walk, from); });
  });
  return out;
}

}  // namespace reference
}  // namespace weft::kernels
