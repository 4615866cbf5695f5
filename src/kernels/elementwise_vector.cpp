#include "kernels/elementwise_rows.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/elementwise_vector.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "kernels/vector_math-inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace weft::kernels::HWY_NAMESPACE {
namespace {

using Floats = hn::ScalableTag<float>;
using Vector = hn::Vec<Floats>;

HWY_INLINE Vector Number(float x) { return hn::Set(Floats(), x); }

// 1 - Phi(|x|), the upper tail of the normal distribution, and e^(-x^2 / 2), which it is made of.
struct Tail {
  Vector tail, density;
};
HWY_INLINE Tail NormalTail(Vector x) {
  const Floats d;
  const Vector a = hn::Min(hn::Mul(hn::Abs(x), Number(0.70710678f)), Number(10.0f));
  const Vector density = Exp(d, hn::Mul(hn::Mul(x, x), Number(-0.5f)));
  return {hn::Mul(hn::Mul(ScaledErfc(d, a), density), Number(0.5f)), density};
}

// x Phi(x) = max(x, 0) - |x| tail; the tail is 0 where x is infinite.
HWY_INLINE Vector Gelu(Vector x) {
  const Vector tail = NormalTail(x).tail, zero = hn::Zero(Floats());
  const Vector part = hn::IfThenZeroElse(hn::Eq(tail, zero), hn::Mul(hn::Abs(x), tail));
  return hn::Sub(hn::IfThenZeroElse(hn::Lt(x, zero), x), part);
}

// Phi(x) + x phi(x)
HWY_INLINE Vector GeluSlope(Vector x) {
  const Tail normal = NormalTail(x);
  const Vector zero = hn::Zero(Floats());
  const Vector phi = hn::Mul(normal.density, Number(0.39894228f));
  const Vector upper = hn::IfThenElse(hn::Lt(x, zero), normal.tail, hn::Sub(Number(1.0f), normal.tail));
  return hn::Add(upper, hn::IfThenZeroElse(hn::Eq(phi, zero), hn::Mul(x, phi)));
}

constexpr float gelu_root = 1.59576912f;  // 2 sqrt(2 / pi)
constexpr float gelu_cubic = 0.044715f;

HWY_INLINE Vector GeluTanh(Vector x) {
  const Floats d;
  const Vector v = hn::Mul(hn::MulAdd(hn::Mul(hn::Mul(x, x), x), Number(gelu_cubic), x), Number(gelu_root));
  const Vector s = Sigmoid(d, v);
  return hn::IfThenZeroElse(hn::Eq(s, hn::Zero(d)), hn::Mul(x, s));
}

// s + x s (1 - s) v'
HWY_INLINE Vector GeluTanhSlope(Vector x) {
  const Floats d;
  const Vector z = hn::Mul(x, x);
  const Vector v = hn::Mul(hn::MulAdd(hn::Mul(z, x), Number(gelu_cubic), x), Number(gelu_root));
  const Vector s = Sigmoid(d, v), change = hn::Mul(s, Sigmoid(d, hn::Neg(v)));
  const Vector slope = hn::Mul(Number(gelu_root), hn::MulAdd(z, Number(3 * gelu_cubic), Number(1.0f)));
  return hn::Add(s, hn::IfThenZeroElse(hn::Eq(change, hn::Zero(d)), hn::Mul(hn::Mul(x, change), slope)));
}

HWY_INLINE Vector Silu(Vector x) {
  const Floats d;
  const Vector s = Sigmoid(d, x);
  return hn::IfThenZeroElse(hn::Eq(s, hn::Zero(d)), hn::Mul(x, s));
}

// s + x s (1 - s)
HWY_INLINE Vector SiluSlope(Vector x) {
  const Floats d;
  const Vector s = Sigmoid(d, x), change = hn::Mul(s, Sigmoid(d, hn::Neg(x)));
  return hn::Add(s, hn::IfThenZeroElse(hn::Eq(change, hn::Zero(d)), hn::Mul(x, change)));
}

// x w / (w + 2), w = n (n + 2), n = e^x; from 20 on the factor is 1.
HWY_INLINE Vector Mish(Vector x) {
  const Vector two = Number(2.0f), n = Exp(Floats(), hn::Min(x, Number(20.0f)));
  const Vector w = hn::Mul(n, hn::Add(n, two));
  return hn::IfThenZeroElse(hn::Eq(n, hn::Zero(Floats())), hn::Mul(x, hn::Div(w, hn::Add(w, two))));
}

HWY_INLINE Vector Softsign(Vector x) {
  const Vector size = hn::Add(hn::Abs(x), Number(1.0f));
  return hn::IfThenElse(hn::Eq(size, hn::Inf(Floats())), hn::CopySign(Number(1.0f), x), hn::Div(x, size));
}

// No sine and cosine: the library's are for small arguments only.
constexpr bool has_vector(Unary function) { return function != Unary::cos && function != Unary::sin; }
constexpr bool has_vector(Binary function) { return function != Binary::pow && function < Binary::eq; }

template <Unary function>
HWY_INLINE Vector Apply(Vector x) {
  const Floats d;
  const Vector zero = hn::Zero(d), one = Number(1.0f);
  if constexpr (function == Unary::neg) return hn::Neg(x);
  if constexpr (function == Unary::exp) return Exp(d, x);
  if constexpr (function == Unary::log) return Log(d, x);
  if constexpr (function == Unary::sqrt) return hn::Sqrt(x);
  if constexpr (function == Unary::square) return hn::Mul(x, x);
  if constexpr (function == Unary::abs) return hn::Abs(x);
  if constexpr (function == Unary::tanh) return Tanh(d, x);
  if constexpr (function == Unary::sigmoid) return Sigmoid(d, x);
  if constexpr (function == Unary::relu) return hn::IfThenZeroElse(hn::Lt(x, zero), x);
  if constexpr (function == Unary::gelu) return Gelu(x);
  if constexpr (function == Unary::gelu_tanh) return GeluTanh(x);
  if constexpr (function == Unary::sign)
    return hn::IfThenElse(hn::Gt(x, zero), one, hn::IfThenElse(hn::Lt(x, zero), hn::Neg(one), x));
  if constexpr (function == Unary::erf) return Erf(d, x);
  if constexpr (function == Unary::reciprocal) return hn::Div(one, x);
  if constexpr (function == Unary::rsqrt) return hn::Div(one, hn::Sqrt(x));
  if constexpr (function == Unary::log1p) return Log1p(d, x);
  if constexpr (function == Unary::expm1) return Expm1(d, x);
  if constexpr (function == Unary::floor) return hn::Floor(x);
  if constexpr (function == Unary::ceil) return hn::Ceil(x);
  if constexpr (function == Unary::round) return hn::Round(x);
  if constexpr (function == Unary::silu) return Silu(x);
  if constexpr (function == Unary::mish) return Mish(x);
  if constexpr (function == Unary::softsign) return Softsign(x);
  if constexpr (function == Unary::logsigmoid) return hn::Neg(Softplus(d, hn::Neg(x)));
}

template <Binary function>
HWY_INLINE Vector Apply(Vector a, Vector b) {
  const Vector zero = hn::Zero(Floats()), one = Number(1.0f);
  if constexpr (function == Binary::add) return hn::Add(a, b);
  if constexpr (function == Binary::sub) return hn::Sub(a, b);
  if constexpr (function == Binary::mul) return hn::Mul(a, b);
  if constexpr (function == Binary::div) return hn::Div(a, b);
  if constexpr (function == Binary::maximum) return hn::IfThenElse(hn::Or(hn::Gt(a, b), hn::IsNaN(a)), a, b);
  if constexpr (function == Binary::minimum) return hn::IfThenElse(hn::Or(hn::Lt(a, b), hn::IsNaN(a)), a, b);
  if constexpr (function == Binary::softplus) return hn::IfThenElse(hn::Gt(a, b), a, Softplus(Floats(), a));
  if constexpr (function == Binary::elu) return hn::IfThenElse(hn::Gt(a, zero), a, hn::Mul(b, Expm1(Floats(), a)));
  if constexpr (function == Binary::leaky_relu) return hn::IfThenElse(hn::Gt(a, zero), a, hn::Mul(b, a));
  const auto nothing = hn::Eq(a, zero);
  if constexpr (function == Binary::guarded_mul) return hn::IfThenZeroElse(nothing, hn::Mul(a, b));
  if constexpr (function == Binary::guarded_div) return hn::IfThenZeroElse(nothing, hn::Div(a, b));
  if constexpr (function == Binary::tanh_grad) return hn::IfThenZeroElse(nothing, hn::Mul(a, hn::Sub(one, hn::Mul(b, b))));
  if constexpr (function == Binary::sigmoid_grad) return hn::IfThenZeroElse(nothing, hn::Mul(a, hn::Mul(b, hn::Sub(one, b))));
  if constexpr (function == Binary::relu_grad) return hn::IfThenZeroElse(hn::Le(b, zero), a);
  if constexpr (function == Binary::gelu_grad) return hn::IfThenZeroElse(nothing, hn::Mul(a, GeluSlope(b)));
  if constexpr (function == Binary::gelu_tanh_grad) return hn::IfThenZeroElse(nothing, hn::Mul(a, GeluTanhSlope(b)));
  if constexpr (function == Binary::silu_grad) return hn::IfThenZeroElse(nothing, hn::Mul(a, SiluSlope(b)));
}

// The rest of a row goes through the same vectors, so that a result doesn't depend on its place.
template <Unary function>
void Row(const float* x, float* y, std::size_t n) {
  const Floats d;
  const std::size_t lanes = hn::Lanes(d);
  std::size_t i = 0;
  for (; i + lanes <= n; i += lanes) hn::StoreU(Apply<function>(hn::LoadU(d, x + i)), d, y + i);
  if (i < n) StoreSome(Apply<function>(LoadSome(d, x + i, n - i)), d, y + i, n - i);
}

template <Binary function, Sides sides>
void Row(const float* a, const float* b, float* y, std::size_t n) {
  const Floats d;
  const std::size_t lanes = hn::Lanes(d);
  std::size_t i = 0;
  if constexpr (sides == Sides::both) {
    for (; i + lanes <= n; i += lanes) hn::StoreU(Apply<function>(hn::LoadU(d, a + i), hn::LoadU(d, b + i)), d, y + i);
    if (i < n) StoreSome(Apply<function>(LoadSome(d, a + i, n - i), LoadSome(d, b + i, n - i)), d, y + i, n - i);
  } else if constexpr (sides == Sides::left_number) {
    const Vector left = Number(*a);
    for (; i + lanes <= n; i += lanes) hn::StoreU(Apply<function>(left, hn::LoadU(d, b + i)), d, y + i);
    if (i < n) StoreSome(Apply<function>(left, LoadSome(d, b + i, n - i)), d, y + i, n - i);
  } else {
    const Vector right = Number(*b);
    for (; i + lanes <= n; i += lanes) hn::StoreU(Apply<function>(hn::LoadU(d, a + i), right), d, y + i);
    if (i < n) StoreSome(Apply<function>(LoadSome(d, a + i, n - i), right), d, y + i, n - i);
  }
}

template <int function>
constexpr UnaryVector RowOf() {
  if constexpr (has_vector(Unary{function})) return Row<Unary{function}>;
  return nullptr;
}
template <int function, Sides sides>
constexpr BinaryVector RowOf() {
  if constexpr (has_vector(Binary{function})) return Row<Binary{function}, sides>;
  return nullptr;
}

template <int... u, int... b>
constexpr VectorRows MakeRows(std::integer_sequence<int, u...>, std::integer_sequence<int, b...>) {
  return {{RowOf<u>()...},
          {{{RowOf<b, Sides::both>()...}, {RowOf<b, Sides::left_number>()...}, {RowOf<b, Sides::right_number>()...}}}};
}

constexpr VectorRows rows =
    MakeRows(std::make_integer_sequence<int, int{unary_functions}>(), std::make_integer_sequence<int, int{binary_functions}>());

const VectorRows* Rows() { return &rows; }

}  // namespace
}  // namespace weft::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace weft::kernels {

HWY_EXPORT(Rows);

const VectorRows& vector_rows() { return *HWY_DYNAMIC_DISPATCH(Rows)(); }

}  // namespace weft::kernels
#endif
