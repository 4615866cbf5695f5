#include "weft/ops/elementwise.hpp"

#include <cmath>
#include <numbers>

#include "base/fail.hpp"
#include "kernels/elementwise.hpp"
#include "ops/fused_rule.hpp"
#include "ops/guarded.hpp"
#include "weft/autograd/record.hpp"

namespace weft {

using kernels::Binary;
using kernels::Unary;

namespace {

Var zero_like(const Var& x) { return Var::scalar(0, x.dtype()); }

// a b, and 0 where either is exactly 0.
Var zero_if_either(const Var& a, const Var& b) {
  return masked_fill(guarded_mul(a, b), kernels::binary(Binary::eq, b.value(), 0.0), 0);
}

}  // namespace

// d(g f) = f dg + g df
Var guarded_mul(const Var& gradient, const Var& factor) {
  Tensor y = kernels::binary(Binary::guarded_mul, gradient.value(), factor.value(), "guarded_mul");
  if (Tape::recording() == nullptr) return y;  // an ordinary backward pass: nothing to save
  return record("guarded_mul", std::move(y), {&gradient, &factor},
                [gradient = Saved(gradient), factor = Saved(factor)](Sink& s) {
                  if (s.wants(0)) s.add(0, guarded_mul(s.grad(), factor.get()));
                  if (s.wants(1)) s.add(1, zero_if_either(gradient.get(), s.grad()));
                });
}

// d(g / x) = dg / x - g / x / x dx
Var guarded_div(const Var& gradient, const Var& divisor) {
  Tensor y = kernels::binary(Binary::guarded_div, gradient.value(), divisor.value(), "guarded_div");
  if (Tape::recording() == nullptr) return y;
  return record("guarded_div", y, {&gradient, &divisor}, [y = Saved(y), divisor = Saved(divisor)](Sink& s) {
    const Var quotient = guarded_div(s.grad(), divisor.get());
    s.add(0, quotient);
    if (s.wants(1)) s.add(1, -zero_if_either(s.output(y), quotient));
  });
}

Var add(const Var& a, const Var& b) {
  return record("add", kernels::binary(Binary::add, a.value(), b.value(), "add"), {&a, &b}, [](Sink& s) {
    s.add(0, s.grad());
    s.add(1, s.grad());
  });
}

Var add(const Var& a, double b) {
  return record("add", kernels::binary(Binary::add, a.value(), b), {&a}, [](Sink& s) { s.add(0, s.grad()); });
}

Var sub(const Var& a, const Var& b) {
  return record("sub", kernels::binary(Binary::sub, a.value(), b.value(), "sub"), {&a, &b}, [](Sink& s) {
    s.add(0, s.grad());
    if (s.wants(1)) s.add(1, -s.grad());
  });
}

Var sub(const Var& a, double b) {
  return record("sub", kernels::binary(Binary::sub, a.value(), b), {&a}, [](Sink& s) { s.add(0, s.grad()); });
}

Var sub(double a, const Var& b) {
  return record("sub", kernels::binary(Binary::sub, a, b.value()), {&b}, [](Sink& s) { s.add(0, -s.grad()); });
}

Var mul(const Var& a, const Var& b) {
  return record("mul", kernels::binary(Binary::mul, a.value(), b.value(), "mul"), {&a, &b},
                [a = Saved(a, b.requires_grad()), b = Saved(b, a.requires_grad())](Sink& s) {
                  if (s.wants(0)) s.add(0, guarded_mul(s.grad(), b.get()));
                  if (s.wants(1)) s.add(1, guarded_mul(s.grad(), a.get()));
                });
}

Var mul(const Var& a, double b) {
  return record("mul", kernels::binary(Binary::mul, a.value(), b), {&a}, [b](Sink& s) { s.add(0, s.grad() * b); });
}

// y = a / b:  da = g / b,  db = -g / b y
Var div(const Var& a, const Var& b) {
  const Tensor y = kernels::binary(Binary::div, a.value(), b.value(), "div");
  return record("div", y, {&a, &b}, [y = Saved(y), b = Saved(b)](Sink& s) {
    const Var quotient = guarded_div(s.grad(), b.get());
    s.add(0, quotient);
    if (s.wants(1)) s.add(1, -guarded_mul(quotient, s.output(y)));
  });
}

Var div(const Var& a, double b) {
  return record("div", kernels::binary(Binary::div, a.value(), b), {&a}, [b](Sink& s) { s.add(0, s.grad() / b); });
}

Var div(double a, const Var& b) {
  const Tensor y = kernels::binary(Binary::div, a, b.value());
  return record("div", y, {&b},
                [y = Saved(y), b = Saved(b)](Sink& s) { s.add(0, -guarded_mul(guarded_div(s.grad(), b.get()), s.output(y))); });
}

Var neg(const Var& x) {
  return record("neg", kernels::unary(Unary::neg, x.value()), {&x}, [](Sink& s) { s.add(0, -s.grad()); });
}

// y = a^b:  da = g b a^(b-1),  db = g y log(a); limits taken where one factor is 0
Var pow(const Var& a, const Var& b) {
  const Tensor y = kernels::binary(Binary::pow, a.value(), b.value(), "pow");
  return record("pow", y, {&a, &b}, [y = Saved(y), a = Saved(a), b = Saved(b)](Sink& s) {
    if (s.wants(0)) s.add(0, guarded_mul(s.grad(), guarded_mul(b.get(), pow(a.get(), b.get() - 1))));
    if (!s.wants(1)) return;
    const Tensor flat = kernels::where(kernels::binary(Binary::ge, b.value(), 0.0), kernels::binary(Binary::eq, a.value(), 0.0),
                                       Tensor::zeros({}, boolean), "backward");
    s.add(1, guarded_mul(s.grad(), masked_fill(guarded_mul(s.output(y), log(a.get())), flat, 0)));
  });
}

Var pow(const Var& a, double b) {
  return record("pow", kernels::binary(Binary::pow, a.value(), b), {&a}, [a = Saved(a), b](Sink& s) {
    if (b != 0) s.add(0, guarded_mul(s.grad(), pow(a.get(), b - 1) * b));
  });
}

Var exp(const Var& x) {
  const Tensor y = kernels::unary(Unary::exp, x.value());
  return record("exp", y, {&x}, [y = Saved(y)](Sink& s) { s.add(0, guarded_mul(s.grad(), s.output(y))); });
}

// e^x = y + 1
Var expm1(const Var& x) {
  const Tensor y = kernels::unary(Unary::expm1, x.value());
  return record("expm1", y, {&x}, [y = Saved(y)](Sink& s) { s.add(0, guarded_mul(s.grad(), s.output(y) + 1)); });
}

Var log1p(const Var& x) {
  return record("log1p", kernels::unary(Unary::log1p, x.value()), {&x},
                [x = Saved(x)](Sink& s) { s.add(0, guarded_div(s.grad(), x.get() + 1)); });
}

Var log(const Var& x) {
  return record("log", kernels::unary(Unary::log, x.value()), {&x},
                [x = Saved(x)](Sink& s) { s.add(0, guarded_div(s.grad(), x.get())); });
}

Var sqrt(const Var& x) {
  const Tensor y = kernels::unary(Unary::sqrt, x.value());
  return record("sqrt", y, {&x}, [y = Saved(y)](Sink& s) { s.add(0, guarded_div(s.grad(), s.output(y) * 2)); });
}

// y = x^(-1/2):  dx = -g y^3 / 2
Var rsqrt(const Var& x) {
  const Tensor y = kernels::unary(Unary::rsqrt, x.value());
  return record("rsqrt", y, {&x}, [y = Saved(y)](Sink& s) {
    const Var out = s.output(y);
    s.add(0, guarded_mul(s.grad(), square(out) * out * -0.5));
  });
}

// -y^2
Var reciprocal(const Var& x) {
  const Tensor y = kernels::unary(Unary::reciprocal, x.value());
  return record("reciprocal", y, {&x}, [y = Saved(y)](Sink& s) { s.add(0, -guarded_mul(s.grad(), square(s.output(y)))); });
}

Var square(const Var& x) {
  return record("square", kernels::unary(Unary::square, x.value()), {&x},
                [x = Saved(x)](Sink& s) { s.add(0, guarded_mul(s.grad(), x.get() * 2)); });
}

Var abs(const Var& x) {
  return record("abs", kernels::unary(Unary::abs, x.value()), {&x},
                [x = Saved(x)](Sink& s) { s.add(0, guarded_mul(s.grad(), kernels::unary(Unary::sign, x.value()))); });
}

Var sin(const Var& x) {
  return record("sin", kernels::unary(Unary::sin, x.value()), {&x},
                [x = Saved(x)](Sink& s) { s.add(0, guarded_mul(s.grad(), cos(x.get()))); });
}

Var cos(const Var& x) {
  return record("cos", kernels::unary(Unary::cos, x.value()), {&x},
                [x = Saved(x)](Sink& s) { s.add(0, -guarded_mul(s.grad(), sin(x.get()))); });
}

// 2 / sqrt(pi) e^(-x^2)
Var erf(const Var& x) {
  return record("erf", kernels::unary(Unary::erf, x.value()), {&x}, [x = Saved(x)](Sink& s) {
    s.add(0, guarded_mul(s.grad(), exp(-square(x.get())) * (2 * std::numbers::inv_sqrtpi)));
  });
}

// 1 - y^2
Var tanh(const Var& x) {
  const Tensor y = kernels::unary(Unary::tanh, x.value());
  return record("tanh", y, {&x}, [y = Saved(y)](Sink& s) {
    fused_rule(s, Binary::tanh_grad, s.output(y), [](const Var& out) { return 1 - square(out); });
  });
}

// y (1 - y)
Var sigmoid(const Var& x) {
  const Tensor y = kernels::unary(Unary::sigmoid, x.value());
  return record("sigmoid", y, {&x}, [y = Saved(y)](Sink& s) {
    fused_rule(s, Binary::sigmoid_grad, s.output(y), [](const Var& out) { return out * (1 - out); });
  });
}

// Constant in pieces: what they are given has no share in a gradient.
Var sign(const Var& x) {
  return record("sign", kernels::unary(Unary::sign, x.value()), {&x}, [](Sink&) {});
}
Var floor(const Var& x) {
  return record("floor", kernels::unary(Unary::floor, x.value()), {&x}, [](Sink&) {});
}
Var ceil(const Var& x) {
  return record("ceil", kernels::unary(Unary::ceil, x.value()), {&x}, [](Sink&) {});
}
Var round(const Var& x) {
  return record("round", kernels::unary(Unary::round, x.value()), {&x}, [](Sink&) {});
}

namespace {

// Of two values the one that is `worse` gets nothing, equal ones half each.
Var choose(const char* op, Binary function, Binary worse, const Var& a, const Var& b) {
  return record(op, kernels::binary(function, a.value(), b.value(), op), {&a, &b},
                [a = Saved(a), b = Saved(b), worse](Sink& s) {
                  const Tensor equal = kernels::binary(Binary::eq, a.value(), b.value(), "backward");
                  const Var share = where(equal, s.grad() * 0.5, s.grad());
                  if (s.wants(0)) s.add(0, masked_fill(share, kernels::binary(worse, a.value(), b.value(), "backward"), 0));
                  if (s.wants(1)) s.add(1, masked_fill(share, kernels::binary(worse, b.value(), a.value(), "backward"), 0));
                });
}

}  // namespace

Var maximum(const Var& a, const Var& b) { return choose("maximum", Binary::maximum, Binary::lt, a, b); }
Var minimum(const Var& a, const Var& b) { return choose("minimum", Binary::minimum, Binary::gt, a, b); }

Var clamp(const Var& x, std::optional<double> min, std::optional<double> max) {
  check<ValueError>(x.defined(), "clamp", "the operand is undefined; it needs a value");
  check<DTypeError>(x.dtype() != boolean, "clamp", "elements of {} are not supported", x);
  check<ValueError>(!(min > max) || !min || !max, "clamp", "min {} is above max {}", min.value_or(0), max.value_or(0));
  for (const std::optional<double>& bound : {min, max})
    check<ValueError>(is_floating(x.dtype()) || !bound || *bound == std::floor(*bound), "clamp",
                      "the bound {} for elements of {}; a whole number is needed", bound.value_or(0), x);
  Tensor y = min ? kernels::binary(Binary::maximum, x.value(), *min) : x.value();
  if (max) y = kernels::binary(Binary::minimum, y, *max);
  return record("clamp", std::move(y), {&x}, [x = Saved(x), min, max](Sink& s) {
    Var g = s.grad();
    if (min) g = masked_fill(g, kernels::binary(Binary::lt, x.value(), *min), 0);
    if (max) g = masked_fill(g, kernels::binary(Binary::gt, x.value(), *max), 0);
    s.add(0, g);
  });
}

Var where(const Tensor& condition, const Var& a, const Var& b) {
  return record("where", kernels::where(condition, a.value(), b.value(), "where"), {&a, &b},
                [condition = Saved(condition)](Sink& s) {
                  if (s.wants(0)) s.add(0, where(condition.value(), s.grad(), zero_like(s.grad())));
                  if (s.wants(1)) s.add(1, masked_fill(s.grad(), condition.value(), 0));
                });
}

Var masked_fill(const Var& x, const Tensor& mask, double value) {
  const Var fill = Var::scalar(value, x.dtype());
  return record("masked_fill", kernels::where(mask, fill.value(), x.value(), "masked_fill"), {&x},
                [mask = Saved(mask)](Sink& s) { s.add(0, masked_fill(s.grad(), mask.value(), 0)); });
}

}  // namespace weft
