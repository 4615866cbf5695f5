#include "weft/ops/arrange.hpp"

#include <array>

#include "autograd/linear_maps.hpp"
#include "kernels/elementwise.hpp"
#include "ops/sizes.hpp"
#include "tensor/copy.hpp"
#include "weft/autograd/record.hpp"
#include "weft/ops/shape.hpp"

namespace weft {
namespace {

// Elements before and behind those of each axis.
struct Padding {
  std::array<std::int64_t, max_rank> before{}, behind{};

  std::int64_t at(int axis) const { return before[static_cast<std::size_t>(axis)]; }
  std::int64_t after(int axis) const { return behind[static_cast<std::size_t>(axis)]; }
};

Padding by_axis(const Var& x, std::span<const std::int64_t> padding) {
  check<ShapeError>(padding.size() % 2 == 0 && padding.size() / 2 <= static_cast<std::size_t>(x.rank()), "pad",
                    "padding [{}] for shape {}: two numbers an axis are needed, from the last one on", fmt::join(padding, ", "),
                    x.shape());
  Padding result;
  for (std::size_t i = 0; i < padding.size(); i += 2) {
    const auto axis = static_cast<std::size_t>(x.rank()) - 1 - i / 2;
    result.before[axis] = padding[i];
    result.behind[axis] = padding[i + 1];
  }
  return result;
}

// What negative padding leaves, which becomes 0 in `padding`.
Var crop(Var x, Padding& padding) {
  const Shape whole = x.shape();
  for (int i = 0; i < whole.rank(); ++i) {
    const std::int64_t left = std::min<std::int64_t>(padding.at(i), 0), right = std::min<std::int64_t>(padding.after(i), 0);
    if (left == 0 && right == 0) continue;
    check<ShapeError>(left >= -whole[i] && right >= -whole[i] - left, "pad",
                      "padding {} and {} takes more than axis {} of {} has", left, right, i, whole);
    x = slice(x, i, -left, whole[i] + right);
    padding.before[static_cast<std::size_t>(i)] -= left;
    padding.behind[static_cast<std::size_t>(i)] -= right;
  }
  return x;
}

Var pad_constant(const Var& x, const Padding& padding, double value) {
  Sizes sizes(x.shape());
  for (int i = 0; i < x.rank(); ++i) sizes[i] = Sizes::plus(sizes[i], Sizes::plus(padding.at(i), padding.after(i)));
  Tensor padded = Tensor::empty(sizes.shape("pad"), x.dtype()), middle = padded;
  const Tensor filling = scalar_tensor(value, x.dtype());
  for (int i = 0; i < x.rank(); ++i) {  // what is beside the middle along this axis, within the middle of those before
    const std::int64_t start = padding.at(i), stop = start + x.size(i);
    kernels::copy_into(filling, middle.slice(i, 0, start));
    kernels::copy_into(filling, middle.slice(i, stop, middle.size(i)));
    middle = middle.slice(i, start, stop);
  }
  kernels::copy_into(x.value(), middle);
  return record("pad", std::move(padded), {&x}, [padding, shape = x.shape()](Sink& s) {
    Var g = s.grad();
    for (int i = 0; i < shape.rank(); ++i) g = slice(g, i, padding.at(i), padding.at(i) + shape[i]);
    s.add(0, std::move(g));
  });
}

// The parts of x that stand before and behind it along an axis.
Var pad_from_within(const Var& x, int axis, std::int64_t before, std::int64_t behind, PadMode mode) {
  const std::int64_t n = x.size(axis), longest = std::max(before, behind);
  if (longest == 0) return x;
  if (mode == PadMode::replicate) {
    check<ShapeError>(n > 0, "pad", "axis {} of {} has no edge to replicate", axis, x.shape());
    Sizes left(x.shape()), right(x.shape()), all(x.shape());
    left[axis] = before;
    right[axis] = behind;
    all[axis] = Sizes::plus(n, Sizes::plus(before, behind));
    static_cast<void>(all.shape("pad"));
    return concat({expand(slice(x, axis, 0, 1), left.shape("pad")), x, expand(slice(x, axis, n - 1, n), right.shape("pad"))},
                  axis);
  }
  if (mode == PadMode::circular) {
    check<ShapeError>(longest <= n, "pad", "circular padding {} and {} needs as many elements; axis {} of {} has {}", before,
                      behind, axis, x.shape(), n);
    return concat({slice(x, axis, n - before, n), x, slice(x, axis, 0, behind)}, axis);
  }
  check<ShapeError>(longest < n, "pad", "padding {} and {} by reflection needs more elements; axis {} of {} has {}", before,
                    behind, axis, x.shape(), n);
  return concat({flip(slice(x, axis, 1, before + 1), axis), x, flip(slice(x, axis, n - 1 - behind, n - 1), axis)}, axis);
}

// x `count` times along an axis: all that lies within it is one row, and the rows repeat.
Var repeat_axis(const Var& x, int axis, std::int64_t count, const char* op) {
  Sizes result(x.shape());
  result[axis] = Sizes::times(result[axis], count);
  const Shape shape = result.shape(op);
  std::int64_t outer = 1, row = 1;
  for (int i = 0; i < x.rank(); ++i) (i < axis ? outer : row) *= x.size(i);
  return reshape(expand(reshape(x, {outer, 1, row}), {outer, count, row}), shape);
}

Var repeat_by(const char* op, Var x, std::span<const std::int64_t> counts) {
  const auto lead = static_cast<int>(counts.size()) - x.rank();
  for (const std::int64_t count : counts)
    check<ShapeError>(count >= 0, op, "counts [{}] for shape {}: one is negative", fmt::join(counts, ", "), x.shape());
  Sizes sizes;
  for (std::size_t i = 0; i < counts.size(); ++i) {
    const int axis = static_cast<int>(i) - lead;
    sizes.append(axis < 0 ? 1 : x.size(axis), op);
  }
  x = reshape(x, sizes.shape(op));
  for (int i = 0; i < x.rank(); ++i) sizes[i] = Sizes::times(sizes[i], counts[static_cast<std::size_t>(i)]);
  static_cast<void>(sizes.shape(op));  // refused before anything is copied
  for (int i = x.rank() - 1; i >= 0; --i)
    if (const std::int64_t count = counts[static_cast<std::size_t>(i)]; count != 1) x = repeat_axis(x, i, count, op);
  return x;
}

}  // namespace

Var pad(const Var& x, std::span<const std::int64_t> padding, PadMode mode, double value) {
  Padding whole = by_axis(x, padding);
  Var result = crop(x, whole);
  if (mode == PadMode::constant) return pad_constant(result, whole, value);
  for (int i = 0; i < x.rank(); ++i) result = pad_from_within(result, i, whole.at(i), whole.after(i), mode);
  return result;
}
Var pad(const Var& x, std::initializer_list<std::int64_t> padding, PadMode mode, double value) {
  return pad(x, std::span(padding.begin(), padding.size()), mode, value);
}

Var roll(const Var& x, std::int64_t shift, int axis) {
  axis = x.shape().axis(axis, "roll");
  const std::int64_t n = x.size(axis);
  shift = n == 0 ? 0 : (shift % n + n) % n;
  const Tensor& from = x.value();
  Tensor rolled = from.empty_like();
  kernels::copy_into(from.slice(axis, 0, n - shift), rolled.slice(axis, shift, n));
  kernels::copy_into(from.slice(axis, n - shift, n), rolled.slice(axis, 0, shift));
  return record("roll", std::move(rolled), {&x}, [axis, shift](Sink& s) { s.add(0, roll(s.grad(), -shift, axis)); });
}

Var roll(const Var& x, std::int64_t shift) { return reshape(roll(flatten(x), shift, 0), x.shape()); }

Var roll(const Var& x, std::initializer_list<std::int64_t> shifts, std::initializer_list<int> axes) {
  check<ValueError>(shifts.size() == axes.size(), "roll", "{} shifts for {} axes of shape {}", shifts.size(), axes.size(),
                    x.shape());
  Var result = x;
  const auto* shift = shifts.begin();
  for (const int axis : axes) result = roll(result, *shift++, axis);
  return result;
}

Var repeat(const Var& x, std::span<const std::int64_t> counts) {
  check<ShapeError>(counts.size() >= static_cast<std::size_t>(x.rank()), "repeat",
                    "counts [{}] are fewer than the axes of shape {}", fmt::join(counts, ", "), x.shape());
  return repeat_by("repeat", x, counts);
}
Var repeat(const Var& x, std::initializer_list<std::int64_t> counts) {
  return repeat(x, std::span(counts.begin(), counts.size()));
}

Var tile(const Var& x, std::span<const std::int64_t> counts) {
  const auto rank = static_cast<std::size_t>(x.rank());
  if (counts.size() >= rank) return repeat_by("tile", x, counts);
  std::array<std::int64_t, max_rank> all{};
  all.fill(1);
  std::copy(counts.begin(), counts.end(), all.begin() + static_cast<std::ptrdiff_t>(rank - counts.size()));
  return repeat_by("tile", x, std::span<const std::int64_t>(all.data(), rank));
}
Var tile(const Var& x, std::initializer_list<std::int64_t> counts) { return tile(x, std::span(counts.begin(), counts.size())); }

Var unfold(const Var& x, int axis, std::int64_t size, std::int64_t step) {
  axis = x.shape().axis(axis, "unfold");
  const std::int64_t n = x.size(axis);
  check<ValueError>(step > 0, "unfold", "a step of {} along axis {} of shape {}; it must be positive", step, axis, x.shape());
  check<ShapeError>(size >= 0 && size <= n, "unfold", "a window of {} elements doesn't fit axis {} of shape {}", size, axis,
                    x.shape());
  const std::int64_t windows = (n - size) / step + 1;
  Sizes sizes(x.shape());
  sizes[axis] = windows;
  sizes.append(size, "unfold");
  Strides strides = x.value().strides();
  strides[static_cast<std::size_t>(x.rank())] = x.value().stride(axis);
  if (windows > 1) strides[static_cast<std::size_t>(axis)] *= step;
  return record("unfold", x.value().view(sizes.shape("unfold"), strides, 0), {&x}, [axis, n, windows, size, step](Sink& s) {
    Tensor index = Tensor::empty({windows, size}, i64);
    auto* place = index.mutable_data<std::int64_t>();
    for (std::int64_t w = 0; w < windows; ++w)
      for (std::int64_t i = 0; i < size; ++i) *place++ = w * step + i;
    // [..., windows, ..., size] -> [windows, size, ...]
    Var g = s.grad();
    g = transpose(g, 0, axis);
    std::array<int, max_rank> order{0, g.rank() - 1};
    for (int i = 2; i < g.rank(); ++i) order[static_cast<std::size_t>(i)] = i - 1;
    g = permute(g, std::span<const int>(order.data(), static_cast<std::size_t>(g.rank())));
    if (axis == 0) return s.add_rows(0, index, g);
    s.add(0, transpose(maps::scatter_rows(g, index, n), 0, axis));
  });
}

}  // namespace weft
