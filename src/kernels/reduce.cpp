#include "kernels/reduce.hpp"

#include <cmath>
#include <limits>

#include "base/fail.hpp"
#include "kernels/elementwise.hpp"
#include "kernels/elementwise_walk.hpp"
#include "kernels/reduce_rows.hpp"
#include "kernels/reduce_split.hpp"
#include "tensor/copy.hpp"

namespace weft::kernels {
namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();

std::size_t unsign(std::int64_t n) { return static_cast<std::size_t>(n); }

// How a sum, a maximum or a minimum is made from the parts that the vector kernels give.
struct Kind {
  double (*row)(const float* x, std::size_t n);
  void (*columns)(const float* x, std::ptrdiff_t step, std::size_t rows, std::size_t columns, double* totals);
  double start;
  Reduction reduction;

  double combine(double a, double b) const {
    if (reduction == Reduction::sum) return a + b;
    const bool better = reduction == Reduction::max ? b > a : b < a;
    return better || b != b ? b : a;
  }
};

Kind kind_of(Reduction reduction) {
  const ReduceRows& rows = reduce_rows();
  if (reduction == Reduction::max) return {rows.max, rows.max_columns, -infinity, reduction};
  if (reduction == Reduction::min) return {rows.min, rows.min_columns, infinity, reduction};
  return {rows.sum, rows.sum_columns, 0, Reduction::sum};
}

// Many elements for one result are taken in parts of this many; how they are cut depends on the sizes alone.
std::int64_t parts_of(std::int64_t count, std::int64_t size) { return std::max<std::int64_t>(1, (count + size - 1) / size); }

// out[i] = the parts [part, i] put together.
void combine_parts(const Kind& kind, const Tensor& partial, std::int64_t parts, Tensor& out) {
  const auto* from = partial.data<double>();
  auto* to = out.mutable_data<float>();
  const std::int64_t n = out.numel();
  parallel_chunks(n, rows_per_chunk(parts), [=, &kind](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      double total = from[i];
      for (std::int64_t part = 1; part < parts; ++part) total = kind.combine(total, from[part * n + i]);
      to[i] = static_cast<float>(total);
    }
  });
}

// The reduced elements stand next to each other, at least along the innermost dimension.
void reduce_along_rows(const Kind& kind, const float* x, const Walk<1>& kept, const Walk<1>& reduced, Tensor& out) {
  const auto total_of = [&](const float* from, std::int64_t begin, std::int64_t end) {
    if (reduced.inner == 0) return kind.row(from + begin, unsign(end - begin));
    double total = kind.start;
    reduced.range(begin, end,
                  [&](const auto& at, std::int64_t n) { total = kind.combine(total, kind.row(from + at[0], unsign(n))); });
    return total;
  };
  const std::int64_t n = kept.count, parts = parts_of(reduced.count, elements_per_chunk);
  if (parts == 1) {
    auto* to = out.mutable_data<float>();
    parallel_chunks(n, rows_per_chunk(reduced.count), [&](std::int64_t begin, std::int64_t end) {
      each(kept, begin, end,
           [&](std::int64_t i, std::int64_t at) { to[i] = static_cast<float>(total_of(x + at, 0, reduced.count)); });
    });
    return;
  }
  Tensor partial = Tensor::empty({parts, n}, f64);
  auto* to = partial.mutable_data<double>();
  parallel_chunks(parts * n, 1, [&](std::int64_t item, std::int64_t) {
    const std::int64_t first = item / n * elements_per_chunk, last = std::min(reduced.count, first + elements_per_chunk);
    each(kept, item % n, item % n + 1, [&](std::int64_t, std::int64_t at) { to[item] = total_of(x + at, first, last); });
  });
  combine_parts(kind, partial, parts, out);
}

// The kept elements stand next to each other along their innermost dimension: strips of columns are reduced together.
void reduce_along_columns(const Kind& kind, const float* x, const Walk<1>& kept, const Walk<1>& reduced, Tensor& out) {
  constexpr auto strip = static_cast<std::int64_t>(columns_at_once);
  const std::int64_t n = kept.count, columns = kept.sizes[kept.inner], strips = parts_of(columns, strip);
  const std::int64_t part_rows = std::max<std::int64_t>(64, elements_per_chunk / std::min(columns, strip));
  const std::int64_t parts = parts_of(reduced.count, part_rows), items = n / columns * strips;
  Tensor partial = parts == 1 ? Tensor() : Tensor::empty({parts, n}, f64);
  double* const totals = parts == 1 ? nullptr : partial.mutable_data<double>();
  float* const to = out.mutable_data<float>();
  const auto reduce_strip = [&](std::int64_t part, std::int64_t i, std::int64_t count, double* total) {
    std::fill_n(total, count, kind.start);
    kept.range(i, i + count, [&](const auto& at, std::int64_t) {
      reduced.range(part * part_rows, std::min(reduced.count, (part + 1) * part_rows),
                    [&](const auto& from, std::int64_t rows) {
                      kind.columns(x + at[0] + from[0], reduced.inner_steps()[0], unsign(rows), unsign(count), total);
                    });
    });
  };
  const std::int64_t work = std::min(reduced.count, part_rows) * std::min(columns, strip);
  parallel_chunks(parts * items, rows_per_chunk(work), [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t item = begin; item < end; ++item) {
      const std::int64_t part = item / items, row = item % items / strips, first = item % strips * strip;
      const std::int64_t count = std::min(strip, columns - first), i = row * columns + first;
      if (totals != nullptr) {
        reduce_strip(part, i, count, totals + part * n + i);
        continue;
      }
      double total[columns_at_once];
      reduce_strip(part, i, count, total);
      for (std::int64_t j = 0; j < count; ++j) to[i + j] = static_cast<float>(total[j]);
    }
  });
  if (parts > 1) combine_parts(kind, partial, parts, out);
}

void logsumexp_along_rows(const float* x, std::int64_t rows, std::int64_t n, float* out) {
  const ReduceRows& kernels = reduce_rows();
  parallel_chunks(rows, rows_per_chunk(n), [=, &kernels](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      const float* row = x + i * n;
      const double most = kernels.max(row, unsign(n));
      out[i] = static_cast<float>(
          std::isfinite(most) ? most + std::log(kernels.sum_exp(row, static_cast<float>(most), unsign(n))) : most);
    }
  });
}

// x's kept dimensions first, then the reduced ones, dense.
Tensor in_rows(const Tensor& x, std::span<const int> axes) {
  std::array<int, max_rank> order{};
  std::size_t place = 0;
  for (int d = 0; d < x.rank(); ++d)
    if (std::find(axes.begin(), axes.end(), d) == axes.end()) order[place++] = d;
  for (const int d : axes) order[place++] = d;
  return dense(x.permute(std::span<const int>(order.data(), place)));
}

// out's elements in row-major order are the kept ones; its shape is the caller's.
void reduce_into(Reduction reduction, const Tensor& x, std::span<const int> axes, const Split& parts, Tensor& out) {
  const Walk<1>&kept = parts.kept, &reduced = parts.reduced;
  if (reduction == Reduction::logsumexp) {
    const Tensor together = in_rows(x, axes);
    return logsumexp_along_rows(together.data<float>(), kept.count, reduced.count, out.mutable_data<float>());
  }
  const Kind kind = kind_of(reduction);
  if (reduced.inner_steps()[0] == 1 || reduced.count == 1) return reduce_along_rows(kind, x.data<float>(), kept, reduced, out);
  if (kept.inner_steps()[0] == 1) return reduce_along_columns(kind, x.data<float>(), kept, reduced, out);
  const Shape matrix{kept.count, reduced.count};
  const Strides strides = matrix.dense_strides();
  const Tensor together = in_rows(x, axes);
  reduce_along_rows(kind, together.data<float>(), Walk<1>({kept.count}, strides), Walk<1>({reduced.count}, {1}), out);
}

}  // namespace

Tensor reduce(Reduction reduction, const Tensor& x, std::span<const int> axes, bool keepdim) {
  const bool plain = reduction == Reduction::prod || reduction == Reduction::norm;  // in f64, where they have the range
  if (x.dtype() != f32 || x.numel() == 0 || plain) return reference::reduce(reduction, x, axes, keepdim);
  const Split parts = split(x, axes, keepdim);
  Tensor out = Tensor::empty(parts.result, f32);
  reduce_into(reduction, x, axes, parts, out);
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
  const std::span<const int> summed(axes.data(), count);
  if (x.dtype() != f32 || x.numel() == 0) return reference::reduce(Reduction::sum, x, summed, true).reshape(shape);
  Tensor out = Tensor::empty(shape, f32);
  reduce_into(Reduction::sum, x, summed, split(x, summed, true), out);
  return out;
}

namespace {

template <bool largest, class T>
std::int64_t place_of_best(const T* x, std::int64_t n, std::int64_t step) {
  std::int64_t best = 0;
  for (std::int64_t i = 1; i < n; ++i) {
    const T value = x[i * step], champion = x[best * step];
    const bool better = largest ? value > champion : value < champion;
    if (better || (value != value && champion == champion)) best = i;
  }
  return best;
}

template <bool largest>
Tensor places(const Tensor& x, int axis, const char* op) {
  axis = x.shape().axis(axis, op);
  check<ValueError>(x.shape()[axis] > 0, op, "axis {} of {} is empty", axis, x);
  const int axes[] = {axis};
  const Split parts = split(x, axes, false);
  Tensor out = Tensor::empty(parts.result, i64);
  auto* to = out.mutable_data<std::int64_t>();
  const std::int64_t n = x.shape()[axis], step = x.stride(axis);
  dispatch(x.dtype(), [&]<class T>() {
    const auto* from = x.data<T>();
    parallel_chunks(parts.kept.count, rows_per_chunk(n), [&](std::int64_t begin, std::int64_t end) {
      each(parts.kept, begin, end,
           [&](std::int64_t i, std::int64_t at) { to[i] = place_of_best<largest>(from + at, n, step); });
    });
  });
  return out;
}

}  // namespace

Tensor argmax(const Tensor& x, int axis) { return places<true>(x, axis, "argmax"); }
Tensor argmin(const Tensor& x, int axis) { return places<false>(x, axis, "argmin"); }

}  // namespace weft::kernels
