// Vector functions for the kernels, compiled once for each instruction set: include after hwy/highway.h.
#if defined(WEFT_VECTOR_MATH_INL) == defined(HWY_TARGET_TOGGLE)
#ifdef WEFT_VECTOR_MATH_INL
#undef WEFT_VECTOR_MATH_INL
#else
#define WEFT_VECTOR_MATH_INL
#endif

#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace weft::kernels::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

/// The first `count` elements at x, less than a vector; what lies behind them is not touched, its lanes are 0.
template <class D>
HWY_INLINE hn::Vec<D> LoadSome(D d, const float* x, std::size_t count) {
#if HWY_TARGET <= HWY_AVX2
  return hn::MaskedLoad(hn::FirstN(d, count), d, x);
#else
  HWY_ALIGN float all[HWY_MAX_BYTES / sizeof(float)] = {};
  for (std::size_t i = 0; i < count; ++i) all[i] = x[i];
  return hn::Load(d, all);
#endif
}

/// Stores the first `count` lanes.
template <class D>
HWY_INLINE void StoreSome(hn::Vec<D> v, D d, float* to, std::size_t count) {
#if HWY_TARGET <= HWY_AVX2
  hn::BlendedStore(v, hn::FirstN(d, count), d, to);
#else
  HWY_ALIGN float all[HWY_MAX_BYTES / sizeof(float)];
  hn::Store(v, d, all);
  for (std::size_t i = 0; i < count; ++i) to[i] = all[i];
#endif
}

/// Stores the first `count` lanes, or all of them.
template <class D>
HWY_INLINE void StoreUpTo(hn::Vec<D> v, D d, float* to, std::size_t count) {
  count == hn::Lanes(d) ? hn::StoreU(v, d, to) : StoreSome(v, d, to, count);
}

/// x, but 0 for what is denormal: products take a hundred times as long over these. NaN stays NaN.
template <class D, class V = hn::Vec<D>>
HWY_INLINE V WithoutDenormals(D d, V x) {
  return hn::IfThenZeroElse(hn::Lt(hn::Abs(x), hn::Set(d, 0x1p-126f)), x);
}

/// x = n ln2 + r, |r| <= ln2/2, for x kept within the range of e^x; n whole, rest = e^r - 1.
template <class D>
struct ExpParts {
  hn::Vec<D> n, rest;
};
template <class D, class V = hn::Vec<D>>
HWY_INLINE ExpParts<D> SplitExp(D d, V x) {
  // ln2 in two parts keeps r exact.
  const V n = hn::Round(hn::Mul(x, hn::Set(d, 1.44269504088896341f)));
  V r = hn::NegMulAdd(n, hn::Set(d, 0.693359375f), x);
  r = hn::NegMulAdd(n, hn::Set(d, -2.12194440e-4f), r);
  V p = hn::Set(d, 1.9875691500e-4f);
  p = hn::MulAdd(p, r, hn::Set(d, 1.3981999507e-3f));
  p = hn::MulAdd(p, r, hn::Set(d, 8.3334519073e-3f));
  p = hn::MulAdd(p, r, hn::Set(d, 4.1665795894e-2f));
  p = hn::MulAdd(p, r, hn::Set(d, 1.6666665459e-1f));
  p = hn::MulAdd(p, r, hn::Set(d, 5.0000001201e-1f));
  return {n, hn::MulAdd(p, hn::Mul(r, r), r)};
}

/// x 2^n in two factors: n reaches 128.
template <class D, class V = hn::Vec<D>>
HWY_INLINE V Scale(D d, V x, V n) {
  const hn::RebindToSigned<D> di;
  const auto whole = hn::ConvertTo(di, n);
  const auto half = hn::ShiftRight<1>(whole);
  const auto bias = hn::Set(di, 127);
  const V scale_a = hn::BitCast(d, hn::ShiftLeft<23>(hn::Add(half, bias)));
  const V scale_b = hn::BitCast(d, hn::ShiftLeft<23>(hn::Add(hn::Sub(whole, half), bias)));
  return hn::Mul(hn::Mul(x, scale_a), scale_b);
}

/// e^x to 2 ulp; NaN stays NaN, overflow is +inf, what would be denormal is 0.
template <class D, class V = hn::Vec<D>>
HWY_INLINE V Exp(D d, V x) {
  const V high = hn::Set(d, 88.72284f), low = hn::Set(d, -87.33655f);
  const ExpParts<D> parts = SplitExp(d, hn::Min(hn::Max(x, low), high));
  V y = Scale(d, hn::Add(parts.rest, hn::Set(d, 1.0f)), parts.n);
  y = hn::IfThenElse(hn::Gt(x, high), hn::Inf(d), y);
  y = hn::IfThenZeroElse(hn::Lt(x, low), y);
  return hn::IfThenElse(hn::IsNaN(x), x, y);
}

/// e^x - 1 to 2 ulp; NaN stays NaN, overflow is +inf.
template <class D, class V = hn::Vec<D>>
HWY_INLINE V Expm1(D d, V x) {
  const V high = hn::Set(d, 88.72284f), low = hn::Set(d, -40.0f), one = hn::Set(d, 1.0f);
  const ExpParts<D> parts = SplitExp(d, hn::Min(hn::Max(x, low), high));
  // 2^n ((e^r - 1) + (1 - 2^-n))
  const hn::RebindToSigned<D> di;
  const auto exponent = hn::Max(hn::Sub(hn::Set(di, 127), hn::ConvertTo(di, parts.n)), hn::Zero(di));
  const V inverse = hn::BitCast(d, hn::ShiftLeft<23>(exponent));
  V y = Scale(d, hn::Add(parts.rest, hn::Sub(one, inverse)), parts.n);
  y = hn::IfThenElse(hn::Gt(x, high), hn::Inf(d), y);
  return hn::IfThenElse(hn::Or(hn::IsNaN(x), hn::Eq(x, hn::Zero(d))), x, y);
}

/// 1 / (1 + e^-x) to 3 ulp; NaN stays NaN.
template <class D, class V = hn::Vec<D>>
HWY_INLINE V Sigmoid(D d, V x) {
  const V one = hn::Set(d, 1.0f);
  const V e = Exp(d, hn::Neg(hn::Abs(x)));
  const V positive = hn::Div(one, hn::Add(one, e));
  return hn::IfThenElse(hn::Ge(x, hn::Zero(d)), positive, hn::Mul(e, positive));
}

/// tanh to 2 ulp; NaN stays NaN.
template <class D, class V = hn::Vec<D>>
HWY_INLINE V Tanh(D d, V x) {
  const V one = hn::Set(d, 1.0f);
  const V a = hn::Abs(x);
  // |x| >= 0.625: 1 - 2 / (e^2|x| + 1); below, a polynomial in x^2, where the difference would lose bits.
  const V e = Exp(d, hn::Add(a, a));
  const V far = hn::Sub(one, hn::Div(hn::Set(d, 2.0f), hn::Add(e, one)));
  const V z = hn::Mul(x, x);
  V p = hn::Set(d, -5.70498872745e-3f);
  p = hn::MulAdd(p, z, hn::Set(d, 2.06390887954e-2f));
  p = hn::MulAdd(p, z, hn::Set(d, -5.37397155531e-2f));
  p = hn::MulAdd(p, z, hn::Set(d, 1.33314422036e-1f));
  p = hn::MulAdd(p, z, hn::Set(d, -3.33332819422e-1f));
  const V near = hn::MulAdd(hn::Mul(p, z), a, a);
  return hn::CopySign(hn::IfThenElse(hn::Lt(a, hn::Set(d, 0.625f)), near, far), x);
}

/// Natural logarithm to 2 ulp, of denormals as well; 0 gives -inf, what is below 0 and NaN give NaN.
template <class D, class V = hn::Vec<D>>
HWY_INLINE V Log(D d, V x) {
  const hn::RebindToSigned<D> di;
  const auto denormal = hn::Lt(x, hn::Set(d, 1.17549435e-38f));
  const V normal = hn::IfThenElse(denormal, hn::Mul(x, hn::Set(d, 33554432.0f)), x);
  // x = m 2^e, sqrt(1/2) <= m < sqrt(2)
  const auto root_half = hn::Set(di, 0x3f3504f3);
  const auto bits = hn::Sub(hn::BitCast(di, normal), root_half);
  const V e = hn::Sub(hn::ConvertTo(d, hn::ShiftRight<23>(bits)), hn::IfThenElseZero(denormal, hn::Set(d, 25.0f)));
  const V m = hn::BitCast(d, hn::Add(hn::And(bits, hn::Set(di, 0x7fffff)), root_half));
  const V f = hn::Sub(m, hn::Set(d, 1.0f)), z = hn::Mul(f, f);
  V p = hn::Set(d, 7.0376836292e-2f);
  p = hn::MulAdd(p, f, hn::Set(d, -1.1514610310e-1f));
  p = hn::MulAdd(p, f, hn::Set(d, 1.1676998740e-1f));
  p = hn::MulAdd(p, f, hn::Set(d, -1.2420140846e-1f));
  p = hn::MulAdd(p, f, hn::Set(d, 1.4249322787e-1f));
  p = hn::MulAdd(p, f, hn::Set(d, -1.6668057665e-1f));
  p = hn::MulAdd(p, f, hn::Set(d, 2.0000714765e-1f));
  p = hn::MulAdd(p, f, hn::Set(d, -2.4999993993e-1f));
  p = hn::MulAdd(p, f, hn::Set(d, 3.3333331174e-1f));
  V y = hn::Mul(hn::Mul(f, z), p);
  y = hn::MulAdd(e, hn::Set(d, -2.12194440e-4f), y);
  y = hn::NegMulAdd(z, hn::Set(d, 0.5f), y);
  y = hn::MulAdd(e, hn::Set(d, 0.693359375f), hn::Add(f, y));
  y = hn::IfThenElse(hn::Eq(x, hn::Zero(d)), hn::Neg(hn::Inf(d)), y);
  y = hn::IfThenElse(hn::Lt(x, hn::Zero(d)), hn::NaN(d), y);
  return hn::IfThenElse(hn::Or(hn::IsNaN(x), hn::Eq(x, hn::Inf(d))), x, y);
}

/// log(1 + x) to 3 ulp; -1 gives -inf, what is below and NaN give NaN.
template <class D, class V = hn::Vec<D>>
HWY_INLINE V Log1p(D d, V x) {
  const V one = hn::Set(d, 1.0f), u = hn::Add(x, one), kept = hn::Sub(u, one);
  // What x loses in u it gets back as a factor (Kahan).
  const V y = hn::Mul(Log(d, u), hn::Div(x, kept));
  return hn::IfThenElse(hn::Or(hn::Eq(kept, hn::Zero(d)), hn::Eq(x, hn::Inf(d))), x, y);
}

/// log(1 + e^x) to 3 ulp; NaN stays NaN.
template <class D, class V = hn::Vec<D>>
HWY_INLINE V Softplus(D d, V x) {
  const V tail = Log1p(d, Exp(d, hn::Neg(hn::Abs(x))));
  return hn::Add(hn::IfThenZeroElse(hn::Lt(x, hn::Zero(d)), x), tail);
}

/// e^(a^2) (1 - erf(a)) for 0 <= a <= 10 to 5 ulp: a polynomial in q = (a - 2) / (a + 2), divided by 1 + 2a,
/// interpolated at Chebyshev nodes.
template <class D, class V = hn::Vec<D>>
HWY_INLINE V ScaledErfc(D d, V a) {
  const V two = hn::Set(d, 2.0f);
  const V q = hn::Div(hn::Sub(a, two), hn::Add(a, two));
  V p = hn::Set(d, -4.2332226e-4f);
  p = hn::MulAdd(p, q, hn::Set(d, -1.2623773e-3f));
  p = hn::MulAdd(p, q, hn::Set(d, 1.3282917e-3f));
  p = hn::MulAdd(p, q, hn::Set(d, 8.6631374e-3f));
  p = hn::MulAdd(p, q, hn::Set(d, -8.0614500e-3f));
  p = hn::MulAdd(p, q, hn::Set(d, -5.4214075e-2f));
  p = hn::MulAdd(p, q, hn::Set(d, 1.6405506e-1f));
  p = hn::MulAdd(p, q, hn::Set(d, -1.6603042e-1f));
  p = hn::MulAdd(p, q, hn::Set(d, -9.2763953e-2f));
  p = hn::MulAdd(p, q, hn::Set(d, 1.2769784f));
  return hn::Div(p, hn::MulAdd(two, a, hn::Set(d, 1.0f)));
}

/// erf to 2 ulp; NaN stays NaN.
template <class D, class V = hn::Vec<D>>
HWY_INLINE V Erf(D d, V x) {
  const V one = hn::Set(d, 1.0f);
  const V a = hn::Min(hn::Abs(x), hn::Set(d, 10.0f)), z = hn::Mul(a, a);
  // Below 1 an odd polynomial, as the difference from 1 would lose bits.
  V p = hn::Set(d, -5.6480599e-4f);
  p = hn::MulAdd(p, z, hn::Set(d, 4.9217618e-3f));
  p = hn::MulAdd(p, z, hn::Set(d, -2.6715055e-2f));
  p = hn::MulAdd(p, z, hn::Set(d, 1.1280317e-1f));
  p = hn::MulAdd(p, z, hn::Set(d, -3.7612343e-1f));
  p = hn::MulAdd(p, z, hn::Set(d, 1.28379107e-1f));
  const V near = hn::MulAdd(p, a, a);
  const V far = hn::NegMulAdd(ScaledErfc(d, a), Exp(d, hn::Neg(z)), one);
  return hn::IfThenElse(hn::IsNaN(x), x, hn::CopySign(hn::IfThenElse(hn::Lt(a, one), near, far), x));
}

}  // namespace weft::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
