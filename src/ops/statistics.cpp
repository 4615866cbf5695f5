#include "weft/ops/statistics.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/fail.hpp"
#include "kernels/elementwise.hpp"
#include "kernels/reduce.hpp"
#include "ops/axes.hpp"
#include "ops/guarded.hpp"
#include "weft/autograd/record.hpp"
#include "weft/ops/elementwise.hpp"
#include "weft/ops/reduce.hpp"

namespace weft {

using kernels::Binary;
using kernels::Reduction;
using kernels::Unary;

namespace {

// What a variance is made of: n - correction, and x - mean.
struct Variance {
  AxesPlan plan;
  double divisor;

  Variance(const char* op, const Var& x, std::span<const int> axes, const VarianceOptions& options) {
    check_floating(op, x);
    plan = plan_axes(op, x, axes, options.keepdim);
    divisor = std::max(static_cast<double>(plan.reduced) - options.correction, 0.0);
  }
  Var centred(const Var& x) const { return x - mean(x, plan.span(), true); }
  Tensor value(const Var& x) const {
    const Tensor squares = kernels::unary(Unary::square, centred(x.detach()).value());
    return kernels::binary(Binary::div, kernels::reduce(Reduction::sum, squares, plan.span(), plan.keepdim), divisor);
  }
};

// level (sum (|x| / level)^p)^(1 / p): the level is the element that weighs most, so that powers of f32 don't overflow to a
// norm of inf or vanish to one of 0.
Tensor power_norm(const Tensor& x, double p, const AxesPlan& plan) {
  Tensor sizes = kernels::unary(Unary::abs, x), level;
  if (plan.reduced > 0) {
    level = kernels::reduce(p > 0 ? Reduction::max : Reduction::min, sizes, plan.span(), true);
    const Tensor one = Tensor::ones(Shape{}, x.dtype());
    constexpr double infinity = std::numeric_limits<double>::infinity();
    level = kernels::where(kernels::binary(Binary::gt, level, 0.0), level, one, "norm");
    level = kernels::where(kernels::binary(Binary::lt, level, infinity), level, one, "norm");
    sizes = kernels::binary(Binary::div, sizes, level, "norm");
  }
  const Tensor sums = kernels::reduce(Reduction::sum, kernels::binary(Binary::pow, sizes, p), plan.span(), true);
  const Tensor y = kernels::binary(Binary::pow, sums, 1 / p);
  return (level.defined() ? kernels::binary(Binary::mul, y, level, "norm") : y).reshape(plan.result);
}

}  // namespace

// dx = 2 g (x - mean) / divisor; what the mean gives adds up to 0
Var var(const Var& x, std::span<const int> axes, VarianceOptions options) {
  const Variance variance("var", x, axes, options);
  return record("var", variance.value(x), {&x}, [x = Saved(x), variance](Sink& s) {
    const Var slope = variance.centred(x.get()) * (2 / variance.divisor);
    s.add(0, guarded_mul(with_shape(s.grad(), variance.plan.kept), slope));
  });
}

// dx = g (x - mean) / (divisor y)
Var std(const Var& x, std::span<const int> axes, VarianceOptions options) {
  const Variance variance("std", x, axes, options);
  const Tensor y = kernels::unary(Unary::sqrt, variance.value(x));
  return record("std", y, {&x}, [x = Saved(x), y = Saved(y), variance](Sink& s) {
    const Tensor flat = kernels::binary(Binary::eq, y.value(), 0.0);
    const Var scale = masked_fill(guarded_div(s.grad(), s.output(y) * variance.divisor), flat, 0);
    s.add(0, guarded_mul(with_shape(scale, variance.plan.kept), variance.centred(x.get())));
  });
}

// dx = g sign(x) (|x| / y)^(p - 1)
Var norm(const Var& x, double p, std::span<const int> axes, bool keepdim) {
  check_floating("norm", x);
  check<ValueError>(!std::isnan(p), "norm", "p is NaN");
  const AxesPlan plan = plan_axes("norm", x, axes, keepdim);
  check<ValueError>(plan.reduced > 0 || !std::isinf(p), "norm", "there is nothing to choose from in {}", x.value());
  if (std::isinf(p)) return p > 0 ? max(abs(x), axes, keepdim) : min(abs(x), axes, keepdim);
  if (p == 1) return sum(abs(x), axes, keepdim);
  if (p == 0) {
    const Tensor counted = kernels::binary(Binary::ne, x.value(), 0.0).to(x.dtype());
    return record("norm", kernels::reduce(Reduction::sum, counted, plan.span(), keepdim), {&x}, [](Sink&) {});
  }
  const Tensor y = p == 2 ? kernels::reduce(Reduction::norm, x.value(), plan.span(), keepdim) : power_norm(x.value(), p, plan);
  return record("norm", y, {&x}, [x = Saved(x), y = Saved(y), p, kept = plan.kept](Sink& s) {
    const Var out = with_shape(s.output(y), kept);
    const Var slope =
        p == 2 ? x.get() / out : guarded_mul(kernels::unary(Unary::sign, x.value()), pow(abs(x.get()) / out, p - 1));
    const Tensor flat = kernels::binary(Binary::eq, out.value(), 0.0);
    s.add(0, guarded_mul(with_shape(s.grad(), kept), masked_fill(slope, flat, 0)));
  });
}

Var var(const Var& x, VarianceOptions options) { return var(x, all_axes(x), options); }
Var var(const Var& x, std::initializer_list<int> axes, VarianceOptions options) { return var(x, to_span(axes), options); }
Var std(const Var& x, VarianceOptions options) { return weft::std(x, all_axes(x), options); }
Var std(const Var& x, std::initializer_list<int> axes, VarianceOptions options) { return weft::std(x, to_span(axes), options); }
Var norm(const Var& x, double p) { return norm(x, p, all_axes(x)); }
Var norm(const Var& x, double p, std::initializer_list<int> axes, bool keepdim) { return norm(x, p, to_span(axes), keepdim); }

}  // namespace weft
