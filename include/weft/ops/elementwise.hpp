#pragma once
#include <optional>

#include "weft/autograd/var.hpp"

namespace weft {

// Functions of each element. Two operands broadcast as in NumPy and have one dtype; a double adapts to the other operand.
// Functions other than neg, abs, square, sign and the arithmetic of integer constants need f32 or f64.
// Throws ShapeError and DTypeError naming the function and both operands, ValueError for an undefined one.
// Activations (relu, gelu, ...) stand in activation.hpp, comparisons in comparison.hpp.
//
// NaN in gives NaN out. Where the incoming gradient is exactly 0 the gradient is exactly 0, whatever the operands, so that
// what was masked away (by where, masked_fill) leaves no trace; elsewhere infinite derivatives show (log at 0).

Var add(const Var& a, const Var& b);
Var add(const Var& a, double b);
Var sub(const Var& a, const Var& b);
Var sub(const Var& a, double b);
Var sub(double a, const Var& b);
Var mul(const Var& a, const Var& b);
Var mul(const Var& a, double b);
Var div(const Var& a, const Var& b);
Var div(const Var& a, double b);
Var div(double a, const Var& b);
Var neg(const Var& x);

inline Var operator+(const Var& a, const Var& b) { return add(a, b); }
inline Var operator+(const Var& a, double b) { return add(a, b); }
inline Var operator+(double a, const Var& b) { return add(b, a); }
inline Var operator-(const Var& a, const Var& b) { return sub(a, b); }
inline Var operator-(const Var& a, double b) { return sub(a, b); }
inline Var operator-(double a, const Var& b) { return sub(a, b); }
inline Var operator*(const Var& a, const Var& b) { return mul(a, b); }
inline Var operator*(const Var& a, double b) { return mul(a, b); }
inline Var operator*(double a, const Var& b) { return mul(b, a); }
inline Var operator/(const Var& a, const Var& b) { return div(a, b); }
inline Var operator/(const Var& a, double b) { return div(a, b); }
inline Var operator/(double a, const Var& b) { return div(a, b); }
inline Var operator-(const Var& x) { return neg(x); }

/// a^b. The derivative in a where b is 0 is 0; in b where a is 0 and b isn't negative it is 0.
Var pow(const Var& a, const Var& b);
Var pow(const Var& a, double b);

Var exp(const Var& x);
/// e^x - 1, exact near 0.
Var expm1(const Var& x);
/// -inf at 0 and NaN below it; the derivative is 1 / x there too.
Var log(const Var& x);
/// log(1 + x), exact near 0.
Var log1p(const Var& x);
/// NaN below 0; the derivative at 0 is inf.
Var sqrt(const Var& x);
/// 1 / sqrt(x)
Var rsqrt(const Var& x);
/// 1 / x
Var reciprocal(const Var& x);
Var square(const Var& x);
/// The derivative at 0 is 0.
Var abs(const Var& x);
Var sin(const Var& x);
Var cos(const Var& x);
Var erf(const Var& x);
Var tanh(const Var& x);
/// 1 / (1 + e^-x)
Var sigmoid(const Var& x);

/// -1, 0 or 1. This and what follows is constant in pieces: the derivative is 0 everywhere.
Var sign(const Var& x);
/// To a whole number: down, up, or to the nearest (halves to the even one).
Var floor(const Var& x);
Var ceil(const Var& x);
Var round(const Var& x);

/// The larger and the smaller of two; equal ones share the gradient evenly.
Var maximum(const Var& a, const Var& b);
Var minimum(const Var& a, const Var& b);
/// x kept within [min, max], either open; the gradient passes within and at the bounds. Throws ValueError for min > max.
Var clamp(const Var& x, std::optional<double> min, std::optional<double> max);

/// condition (bool) ? a : b; all three broadcast.
Var where(const Tensor& condition, const Var& a, const Var& b);
/// x with `value` where the mask (bool, broadcasts with x) is true.
Var masked_fill(const Var& x, const Tensor& mask, double value);

}  // namespace weft
