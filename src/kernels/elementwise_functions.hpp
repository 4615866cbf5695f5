#pragma once
#include <algorithm>
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

// Phi(x) + x phi(x)
template <class T>
T gelu_slope(T x) {
  const T phi = std::exp(x * x / -2) * (std::numbers::inv_sqrtpi_v<T> / std::numbers::sqrt2_v<T>);
  return std::erfc(-x / std::numbers::sqrt2_v<T>) / 2 + (phi == 0 ? T{0} : x * phi);
}

// s + x s (1 - s) v', s = sigmoid(v), v = 2 sqrt(2 / pi) (x + 0.044715 x^3)
template <class T>
T gelu_tanh_slope(T x) {
  constexpr T root = 2 * std::numbers::sqrt2_v<T> * std::numbers::inv_sqrtpi_v<T>, cubic = static_cast<T>(0.044715);
  const T v = root * (x + cubic * x * x * x), s = sigmoid(v), change = s * sigmoid(-v);
  return s + (change == 0 ? T{0} : x * change * root * (1 + 3 * cubic * x * x));
}

// log(1 + e^x)
template <class T>
T softplus(T x) {
  return (x < 0 ? T{0} : x) + std::log1p(std::exp(-std::abs(x)));
}

template <class T>
T silu(T x) {
  if (x == -std::numeric_limits<T>::infinity()) return T{0};
  return x * sigmoid(x);
}

// s + x s (1 - s), s = sigmoid(x)
template <class T>
T silu_slope(T x) {
  const T s = sigmoid(x), change = s * sigmoid(-x);
  return s + (change == 0 ? T{0} : x * change);
}

// x tanh(log(1 + e^x)) = x w / (w + 2), w = n (n + 2), n = e^x; where n is large the factor is 1.
template <class T>
T mish(T x) {
  if (x == -std::numeric_limits<T>::infinity()) return T{0};
  const T n = std::exp(std::min(x, T{40})), w = n * (n + 2);
  return x * (w / (w + 2));
}

template <class T>
T softsign(T x) {
  return std::isinf(x) ? std::copysign(T{1}, x) : x / (1 + std::abs(x));
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
  if constexpr (function == Unary::log1p) return std::log1p(x);
  if constexpr (function == Unary::expm1) return std::expm1(x);
  if constexpr (function == Unary::floor) return std::floor(x);
  if constexpr (function == Unary::ceil) return std::ceil(x);
  if constexpr (function == Unary::round) return std::nearbyint(x);  // halves to even
  if constexpr (function == Unary::silu) return silu(x);
  if constexpr (function == Unary::mish) return mish(x);
  if constexpr (function == Unary::softsign) return softsign(x);
  if constexpr (function == Unary::logsigmoid) return -softplus(-x);
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
  if constexpr (function == Binary::softplus) return a > b ? a : softplus(a);
  if constexpr (function == Binary::elu) return a > 0 ? a : b * std::expm1(a);
  if constexpr (function == Binary::leaky_relu) return a > 0 ? a : b * a;
  if constexpr (function == Binary::guarded_mul) return a == 0 ? T{0} : a * b;
  if constexpr (function == Binary::guarded_div) return a == 0 ? T{0} : a / b;
  if constexpr (function == Binary::tanh_grad) return a == 0 ? T{0} : a * (1 - b * b);
  if constexpr (function == Binary::sigmoid_grad) return a == 0 ? T{0} : a * (b * (1 - b));
  if constexpr (function == Binary::relu_grad) return b <= 0 ? T{0} : a;
  if constexpr (function == Binary::gelu_grad) return a == 0 ? T{0} : a * gelu_slope(b);
  if constexpr (function == Binary::gelu_tanh_grad) return a == 0 ? T{0} : a * gelu_tanh_slope(b);
  if constexpr (function == Binary::silu_grad) return a == 0 ? T{0} : a * silu_slope(b);
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
  const bool exact = function == Binary::add || function == Binary::sub || function == Binary::mul ||
                     function == Binary::maximum || function == Binary::minimum || is_comparison(function);
  return is_floating(type) || (exact && is_integer(type));
}

}  // namespace weft::kernels::scalar
