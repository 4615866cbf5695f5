#include "weft/ops/reduce.hpp"

#include <algorithm>
#include <array>
#include <limits>

#include "base/fail.hpp"
#include "kernels/elementwise.hpp"
#include "kernels/reduce.hpp"
#include "ops/guarded.hpp"
#include "weft/autograd/record.hpp"
#include "weft/ops/elementwise.hpp"
#include "weft/ops/shape.hpp"

namespace weft {

using kernels::Binary;
using kernels::Reduction;

namespace {

/// What a reduction does to a shape.
struct Plan {
  std::array<int, max_rank> axes{};  // sorted
  std::size_t count = 0;
  Shape kept;  // with size 1 where it is reduced
  bool keepdim = false;
  std::int64_t reduced = 1;  // elements that become one

  std::span<const int> span() const { return {axes.data(), count}; }
};

Plan plan(const char* op, const Var& x, std::span<const int> axes, bool keepdim) {
  Plan p;
  p.kept = x.shape();
  std::array<bool, max_rank> chosen{};
  for (const int given : axes) {
    const int axis = x.shape().axis(given, op);
    bool& seen = chosen[static_cast<std::size_t>(axis)];
    check<IndexError>(!seen, op, "axis {} stands twice for shape {}", axis, x.shape());
    seen = true;
  }
  for (int axis = 0; axis < x.rank(); ++axis) {
    if (!chosen[static_cast<std::size_t>(axis)]) continue;
    p.axes[p.count++] = axis;
    p.reduced *= x.shape()[axis];
    p.kept = p.kept.with(axis, 1);
  }
  p.keepdim = keepdim;
  return p;
}

constexpr std::array<int, max_rank> every_axis{0, 1, 2, 3, 4, 5, 6, 7};
std::span<const int> all_axes(const Var& x) { return std::span(every_axis).first(static_cast<std::size_t>(x.rank())); }
std::span<const int> to_span(std::initializer_list<int> axes) { return {axes.begin(), axes.size()}; }

// The same elements with or without the dimensions of size 1.
Var with_shape(const Var& x, const Shape& shape) {
  if (x.shape() == shape) return x;
  return record("reshape", x.value().reshape(shape), {&x},
                [from = x.shape()](Sink& s) { s.add(0, with_shape(s.grad(), from)); });
}

Tensor reduced(Reduction reduction, const Var& x, const Plan& p) {
  return kernels::reduce(reduction, x.value(), p.span(), p.keepdim);
}

void check_floating(const char* op, const Var& x) {
  check<DTypeError>(is_floating(x.dtype()), op, "the input is {}; f32 or f64 is needed", x.value());
}

}  // namespace

Var sum(const Var& x, std::span<const int> axes, bool keepdim) {
  const Plan p = plan("sum", x, axes, keepdim);
  return record("sum", reduced(Reduction::sum, x, p), {&x},
                [kept = p.kept, from = x.shape()](Sink& s) { s.add(0, expand(with_shape(s.grad(), kept), from)); });
}

Var mean(const Var& x, std::span<const int> axes, bool keepdim) {
  check_floating("mean", x);
  const Plan p = plan("mean", x, axes, keepdim);
  const auto n = static_cast<double>(p.reduced);
  return record("mean", kernels::binary(Binary::div, reduced(Reduction::sum, x, p), n), {&x},
                [kept = p.kept, from = x.shape(), n](Sink& s) { s.add(0, expand(with_shape(s.grad(), kept) / n, from)); });
}

// Everything that isn't below the maximum shares: equal elements, and all of them where there is a NaN.
Var max(const Var& x, std::span<const int> axes, bool keepdim) {
  const Plan p = plan("max", x, axes, keepdim);
  check<ValueError>(p.reduced > 0, "max", "there is nothing to choose from in {}", x.value());
  const Tensor y = reduced(Reduction::max, x, p);
  return record("max", y, {&x}, [x = Saved(x), y = Saved(y), p](Sink& s) {
    const Tensor top = y.value().reshape(p.kept);
    const Tensor below = kernels::binary(Binary::lt, x.value(), top, "backward");
    const Tensor one = Tensor::ones({}, top.dtype()), zero = Tensor::zeros({}, top.dtype());
    const Tensor sharing = kernels::reduce(Reduction::sum, kernels::where(below, zero, one, "backward"), p.span());
    s.add(0, masked_fill(with_shape(s.grad(), p.kept) / sharing, below, 0));
  });
}

// g e^(x - y), the softmax; where y is -inf, x is as well, and e^x is the 0 that is wanted.
Var logsumexp(const Var& x, std::span<const int> axes, bool keepdim) {
  check_floating("logsumexp", x);
  const Plan p = plan("logsumexp", x, axes, keepdim);
  const Tensor y = reduced(Reduction::logsumexp, x, p);
  return record("logsumexp", y, {&x}, [x = Saved(x), y = Saved(y), kept = p.kept](Sink& s) {
    const Tensor empty = kernels::binary(Binary::eq, y.value(), -std::numeric_limits<double>::infinity());
    const Var level = with_shape(masked_fill(s.output(y), empty, 0), kept);
    s.add(0, guarded_mul(with_shape(s.grad(), kept), exp(x.get() - level)));
  });
}

Var sum(const Var& x) { return sum(x, all_axes(x)); }
Var sum(const Var& x, std::initializer_list<int> axes, bool keepdim) { return sum(x, to_span(axes), keepdim); }
Var mean(const Var& x) { return mean(x, all_axes(x)); }
Var mean(const Var& x, std::initializer_list<int> axes, bool keepdim) { return mean(x, to_span(axes), keepdim); }
Var max(const Var& x) { return max(x, all_axes(x)); }
Var max(const Var& x, std::initializer_list<int> axes, bool keepdim) { return max(x, to_span(axes), keepdim); }
Var logsumexp(const Var& x) { return logsumexp(x, all_axes(x)); }
Var logsumexp(const Var& x, std::initializer_list<int> axes, bool keepdim) { return logsumexp(x, to_span(axes), keepdim); }

}  // namespace weft
