#pragma once
#include <cmath>
#include <limits>
#include <numbers>
#include <type_traits>

#include "kernels/elementwise.hpp"

namespace weft::kernels::scalar {

// What each element-wise function computes, for one element. NaN goes through all of them.

// Integers wrap around.
template <class T, class Function>
T wrapping(T a, T b, Function function) {
  if constexpr (std::is_integral_v<T> && !std::is_same_v<T, bool>) {
    using U = std::make_unsigned_t<T>;
    return static_cast<T>(function(static_cast<U>(a), static_cast<U>(b)));
  } else {
    return function(a, b);
  }
}

template <class T>
T sigmoid(T x) {
  const T e = std::exp(-std::abs(x));
  return (x < 0 ? e : T{1}) / (1 + e);
}

// x (1 + erf(x / sqrt 2)) / 2; erfc keeps the digits of the negative side.
template <class T>
T gelu(T x) {
  if (x == -std::numeric_limits<T>::infinity()) return T{0};
  return x / 2 * std::erfc(-x / std::numbers::sqrt2_v<T>);
}

// x (1 + tanh u) / 2 = x sigmoid(2u), u = sqrt(2 / pi) (x + 0.044715 x^3).
template <class T>
T gelu_tanh(T x) {
  if (x == -std::numeric_limits<T>::infinity()) return T{0};
  constexpr T root = std::numbers::sqrt2_v<T> * std::numbers::inv_sqrtpi_v<T>;
  return x * sigmoid(2 * root * (x + static_cast<T>(0.044715) * x * x * x));
}

template <Unary function, class T>
T apply(T x) {
  if constexpr (function == Unary::neg)
    return wrapping(T{0}, x, [](auto a, auto b) { return std::is_integral_v<T> ? a - b : -b; });
  if constexpr (function == Unary::exp) return std::exp(x);
  if constexpr (function == Unary::log) return std::log(x);
  if constexpr (function == Unary::sqrt) return std::sqrt(x);
  if constexpr (function == Unary::square) return wrapping(x, x, [](auto a, auto b) { return a * b; });
  if constexpr (function == Unary::abs) {
    if constexpr (std::is_integral_v<T>)
      return x < 0 ? apply<Unary::neg>(x) : x;
    else
      return std::abs(x);
  }
  if constexpr (function == Unary::tanh) return std::tanh(x);
  if constexpr (function == Unary::sigmoid) return sigmoid(x);
  if constexpr (function == Unary::relu) return x < 0 ? T{0} : x;
  if constexpr (function == Unary::gelu) return gelu(x);
  if constexpr (function == Unary::gelu_tanh) return gelu_tanh(x);
  if constexpr (function == Unary::sign) return x > 0 ? T{1} : x < 0 ? static_cast<T>(-1) : x;
  if constexpr (function == Unary::cos) return std::cos(x);
  if constexpr (function == Unary::sin) return std::sin(x);
  if constexpr (function == Unary::erf) return std::erf(x);
  if constexpr (function == Unary::reciprocal) return 1 / x;
  if constexpr (function == Unary::rsqrt) return 1 / std::sqrt(x);
}

template <Binary function, class T>
auto apply(T a, T b) {
  if constexpr (function == Binary::add) return wrapping(a, b, [](auto x, auto y) { return x + y; });
  if constexpr (function == Binary::sub) return wrapping(a, b, [](auto x, auto y) { return x - y; });
  if constexpr (function == Binary::mul) return wrapping(a, b, [](auto x, auto y) { return x * y; });
  if constexpr (function == Binary::div) return a / b;
  if constexpr (function == Binary::pow) return std::pow(a, b);
  if constexpr (function == Binary::maximum) return a > b || a != a ? a : b;
  if constexpr (function == Binary::minimum) return a < b || a != a ? a : b;
  if constexpr (function == Binary::eq) return a == b;
  if constexpr (function == Binary::ne) return a != b;
  if constexpr (function == Binary::lt) return a < b;
  if constexpr (function == Binary::le) return a <= b;
  if constexpr (function == Binary::gt) return a > b;
  if constexpr (function == Binary::ge) return a >= b;
}

constexpr bool is_comparison(Binary function) { return function >= Binary::eq; }

/// Whether a function takes elements of this type: integers only where the result is one; bool only compares.
constexpr bool takes(Unary function, DType type) {
  const bool exact = function == Unary::neg || function == Unary::abs || function == Unary::square || function == Unary::sign ||
                     function == Unary::relu;
  return is_floating(type) || (exact && is_integer(type));
}
constexpr bool takes(Binary function, DType type) {
  if (type == DType::boolean) return function == Binary::eq || function == Binary::ne;
  return is_floating(type) || (function != Binary::div && function != Binary::pow);
}

}  // namespace weft::kernels::scalar
