#include "kernels/reduce.hpp"

#include <cmath>
#include <limits>

#include "base/fail.hpp"
#include "kernels/elementwise_walk.hpp"
#include "tensor/copy.hpp"

namespace weft::kernels {
namespace {

// x seen as kept dimensions, each of whose elements stands for all reduced ones.
struct Split {
  Tensor kept, reduced;
  Shape result;
};

Split split(const Tensor& x, std::span<const int> axes) {
  std::array<std::int64_t, max_rank> kept{}, reduced{};
  Strides kept_strides{}, reduced_strides{};
  std::size_t k = 0, r = 0;
  Shape result = x.shape();
  for (int d = 0; d < x.rank(); ++d) {
    const std::int64_t stride = x.strides()[static_cast<std::size_t>(d)];
    if (std::find(axes.begin(), axes.end(), d) == axes.end()) {
      kept[k] = x.shape()[d];
      kept_strides[k++] = stride;
    } else {
      reduced[r] = x.shape()[d];
      reduced_strides[r++] = stride;
      result = result.with(d, 1);
    }
  }
  return {x.view(Shape(std::span<const std::int64_t>(kept.data(), k)), kept_strides, 0),
          x.view(Shape(std::span<const std::int64_t>(reduced.data(), r)), reduced_strides, 0), result};
}

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
  const Walk<1> kept(parts.kept.shape(), {&parts.kept}), reduced(parts.reduced.shape(), {&parts.reduced});
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

Tensor reduce(Reduction reduction, const Tensor& x, std::span<const int> axes) {
  const Split parts = split(x, axes);
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

Tensor sum_to(const Tensor& x, const Shape& shape) {
  if (x.shape() == shape) return x;
  const int lead = x.rank() - shape.rank();
  check<ShapeError>(lead >= 0, "sum_to", "{} has fewer dimensions than {}", x, shape);
  std::array<int, max_rank> axes{};
  std::size_t count = 0;
  for (int d = 0; d < x.rank(); ++d) {
    if (d >= lead && shape[d - lead] == x.shape()[d]) continue;
    check<ShapeError>(d < lead || shape[d - lead] == 1, "sum_to", "{} doesn't broadcast to {}", shape, x);
    axes[count++] = d;
  }
  return reduce(Reduction::sum, x, std::span<const int>(axes.data(), count)).reshape(shape);
}

Tensor argmax(const Tensor& x, int axis) {
  axis = x.shape().axis(axis, "argmax");
  check<ValueError>(x.shape()[axis] > 0, "argmax", "axis {} of {} is empty", axis, x);
  const int axes[] = {axis};
  const Split parts = split(x, axes);
  Tensor out = Tensor::empty(x.shape().without(axis), i64);
  dispatch(x.dtype(), [&]<class T>() {
    reduce_each<T, std::int64_t>(x, parts, out, [](const Walk<1>& walk, const T* from) {
      const std::int64_t step = walk.inner_steps()[0];
      std::int64_t best = 0;
      for (std::int64_t i = 1; i < walk.count; ++i) {
        const T value = from[i * step], champion = from[best * step];
        if (value > champion || (value != value && champion == champion)) best = i;
      }
      return best;
    });
  });
  return out;
}

}  // namespace weft::kernels
