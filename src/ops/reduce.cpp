#include "weft/ops/reduce.hpp"

#include <limits>

#include "base/fail.hpp"
#include "kernels/elementwise.hpp"
#include "kernels/reduce.hpp"
#include "ops/axes.hpp"
#include "ops/guarded.hpp"
#include "weft/autograd/record.hpp"
#include "weft/ops/elementwise.hpp"
#include "weft/ops/shape.hpp"

namespace weft {

using kernels::Binary;
using kernels::Reduction;

namespace {

Tensor reduced(Reduction reduction, const Var& x, const AxesPlan& p) {
  return kernels::reduce(reduction, x.value(), p.span(), p.keepdim);
}

// The largest or the smallest element. Everything that isn't `worse` shares: equal elements, and all where there is a NaN.
Var choose(const char* op, Reduction reduction, Binary worse, const Var& x, std::span<const int> axes, bool keepdim) {
  const AxesPlan p = plan_axes(op, x, axes, keepdim);
  check<ValueError>(p.reduced > 0, op, "there is nothing to choose from in {}", x.value());
  const Tensor y = reduced(reduction, x, p);
  return record(op, y, {&x}, [x = Saved(x), y = Saved(y), p, worse](Sink& s) {
    const Tensor best = y.value().reshape(p.kept);
    const Tensor passed_over = kernels::binary(worse, x.value(), best, "backward");
    const Tensor one = Tensor::ones({}, best.dtype()), zero = Tensor::zeros({}, best.dtype());
    const Tensor sharing = kernels::reduce(Reduction::sum, kernels::where(passed_over, zero, one, "backward"), p.span());
    s.add(0, masked_fill(with_shape(s.grad(), p.kept) / sharing, passed_over, 0));
  });
}

// For x [rows, n] and g [rows, 1]: g times the product of the row's other elements, in each place. Neighbours are
// multiplied in pairs, pairs of pairs likewise; nothing is divided, so that zeros don't matter.
Var times_others(const Var& g, const Var& x) {
  const std::int64_t n = x.size(1), half = n / 2;
  if (n == 1) return g;
  const Var left = slice(x, 1, 0, half), right = slice(x, 1, half, 2 * half), rest = slice(x, 1, 2 * half, n);
  const Var pairs = times_others(g, concat({left * right, rest}, 1));
  const Var of_pairs = slice(pairs, 1, 0, half);
  return concat({guarded_mul(of_pairs, right), guarded_mul(of_pairs, left), slice(pairs, 1, half, n - half)}, 1);
}

Tensor truth(const char* op, Reduction reduction, const Tensor& x, std::span<const int> axes, bool keepdim) {
  const AxesPlan p = plan_axes(op, x, axes, keepdim);
  check<DTypeError>(x.dtype() == boolean, op, "the input is {}; bool is needed: compare with 0 first (ne)", x);
  return reduced(reduction, x, p);
}

template <class Kernel>
Tensor place_of_all(const char* op, const Kernel& kernel, const Var& x) {
  check<ValueError>(x.defined(), op, "the input is undefined");
  check<ValueError>(x.numel() > 0, op, "there is nothing to choose from in {}", x.value());
  return kernel(x.value().reshape({x.numel()}), 0);
}

template <class Kernel>
Tensor place_along(const char* op, const Kernel& kernel, const Var& x, int axis, bool keepdim) {
  check<ValueError>(x.defined(), op, "the input is undefined");
  if (x.rank() == 0) return kernel(x.value().reshape({1}), axis).reshape({});
  const Tensor places = kernel(x.value(), axis);
  return keepdim ? places.unsqueeze(x.shape().axis(axis)) : places;
}

}  // namespace

Var sum(const Var& x, std::span<const int> axes, bool keepdim) {
  const AxesPlan p = plan_axes("sum", x, axes, keepdim);
  return record("sum", reduced(Reduction::sum, x, p), {&x},
                [kept = p.kept, from = x.shape()](Sink& s) { s.add(0, expand(with_shape(s.grad(), kept), from)); });
}

Var mean(const Var& x, std::span<const int> axes, bool keepdim) {
  check_floating("mean", x);
  const AxesPlan p = plan_axes("mean", x, axes, keepdim);
  const auto n = static_cast<double>(p.reduced);
  return record("mean", kernels::binary(Binary::div, reduced(Reduction::sum, x, p), n), {&x},
                [kept = p.kept, from = x.shape(), n](Sink& s) { s.add(0, expand(with_shape(s.grad(), kept) / n, from)); });
}

Var prod(const Var& x, std::span<const int> axes, bool keepdim) {
  const AxesPlan p = plan_axes("prod", x, axes, keepdim);
  const Var rows = in_rows(x, p);
  constexpr std::array last{1};
  const Var y =
      record("prod", kernels::reduce(Reduction::prod, rows.value(), last, false), {&rows}, [rows = Saved(rows)](Sink& s) {
        if (rows.get().numel() > 0) s.add(0, times_others(unsqueeze(s.grad(), 1), rows.get()));
      });
  return with_shape(y, p.result);
}

Var max(const Var& x, std::span<const int> axes, bool keepdim) {
  return choose("max", Reduction::max, Binary::lt, x, axes, keepdim);
}
Var min(const Var& x, std::span<const int> axes, bool keepdim) {
  return choose("min", Reduction::min, Binary::gt, x, axes, keepdim);
}

// g e^(x - y), the softmax; where y is -inf, x is as well, and e^x is the 0 that is wanted.
Var logsumexp(const Var& x, std::span<const int> axes, bool keepdim) {
  check_floating("logsumexp", x);
  const AxesPlan p = plan_axes("logsumexp", x, axes, keepdim);
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
Var prod(const Var& x) { return prod(x, all_axes(x)); }
Var prod(const Var& x, std::initializer_list<int> axes, bool keepdim) { return prod(x, to_span(axes), keepdim); }
Var max(const Var& x) { return max(x, all_axes(x)); }
Var max(const Var& x, std::initializer_list<int> axes, bool keepdim) { return max(x, to_span(axes), keepdim); }
Var min(const Var& x) { return min(x, all_axes(x)); }
Var min(const Var& x, std::initializer_list<int> axes, bool keepdim) { return min(x, to_span(axes), keepdim); }
Var logsumexp(const Var& x) { return logsumexp(x, all_axes(x)); }
Var logsumexp(const Var& x, std::initializer_list<int> axes, bool keepdim) { return logsumexp(x, to_span(axes), keepdim); }

Tensor argmax(const Var& x) { return place_of_all("argmax", kernels::argmax, x); }
Tensor argmax(const Var& x, int axis, bool keepdim) { return place_along("argmax", kernels::argmax, x, axis, keepdim); }
Tensor argmin(const Var& x) { return place_of_all("argmin", kernels::argmin, x); }
Tensor argmin(const Var& x, int axis, bool keepdim) { return place_along("argmin", kernels::argmin, x, axis, keepdim); }

Tensor any(const Tensor& x, std::span<const int> axes, bool keepdim) { return truth("any", Reduction::max, x, axes, keepdim); }
Tensor any(const Tensor& x) { return any(x, all_axes(x)); }
Tensor any(const Tensor& x, std::initializer_list<int> axes, bool keepdim) { return any(x, to_span(axes), keepdim); }
Tensor all(const Tensor& x, std::span<const int> axes, bool keepdim) { return truth("all", Reduction::min, x, axes, keepdim); }
Tensor all(const Tensor& x) { return all(x, all_axes(x)); }
Tensor all(const Tensor& x, std::initializer_list<int> axes, bool keepdim) { return all(x, to_span(axes), keepdim); }

}  // namespace weft
