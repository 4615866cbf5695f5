#include "kernels/softmax.hpp"

#include "kernels/elementwise.hpp"
#include "kernels/parallel.hpp"
#include "kernels/softmax_reference.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/softmax.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "kernels/vector_math-inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace weft::kernels::HWY_NAMESPACE {

using Floats = hn::ScalableTag<float>;

// Calls body(lane offset, vector) for whole vectors and once more for the rest, whose missing lanes hold `fill`.
template <class Body>
HWY_INLINE void ForEachVector(const float* x, std::size_t n, float fill, Body body) {
  const Floats d;
  const std::size_t lanes = hn::Lanes(d);
  std::size_t i = 0;
  for (; i + lanes <= n; i += lanes) body(i, lanes, hn::LoadU(d, x + i));
  if (i == n) return;
  HWY_ALIGN float rest[HWY_MAX_BYTES / sizeof(float)];
  for (std::size_t j = 0; j < lanes; ++j) rest[j] = i + j < n ? x[i + j] : fill;
  body(i, n - i, hn::Load(d, rest));
}

constexpr float lowest = -__builtin_inff();

struct MaxBody {
  hn::Vec<Floats>& most;
  HWY_INLINE void operator()(std::size_t, std::size_t, hn::Vec<Floats> v) const { most = hn::Max(most, v); }
};

struct ExpBody {
  hn::Vec<Floats> most;
  hn::Vec<Floats>& sum;
  float* y;  // null: only the sum
  HWY_INLINE void operator()(std::size_t i, std::size_t count, hn::Vec<Floats> v) const {
    const Floats d;
    const auto e = Exp(d, hn::Sub(v, most));
    sum = hn::Add(sum, e);
    if (y != nullptr) StoreUpTo(e, d, y + i, count);
  }
};

HWY_INLINE float RowMax(const float* x, std::size_t n) {
  const Floats d;
  auto most = hn::Set(d, lowest);
  ForEachVector(x, n, lowest, MaxBody{most});
  return hn::GetLane(hn::MaxOfLanes(d, most));
}

// exp(x - most) into y (null: nowhere) and their sum.
HWY_INLINE float RowExp(const float* x, float most, float* y, std::size_t n) {
  const Floats d;
  auto sum = hn::Zero(d);
  ForEachVector(x, n, lowest, ExpBody{hn::Set(d, most), sum, y});
  return hn::GetLane(hn::SumOfLanes(d, sum));
}

struct ScaleBody {
  float factor;
  float* y;
  HWY_INLINE void operator()(std::size_t i, std::size_t count, hn::Vec<Floats> v) const {
    const Floats d;
    StoreUpTo(WithoutDenormals(d, hn::Mul(v, hn::Set(d, factor))), d, y + i, count);
  }
};

void SoftmaxRow(const float* x, float* y, std::size_t n) {
  const float factor = 1.0f / RowExp(x, RowMax(x, n), y, n);
  ForEachVector(y, n, 0.0f, ScaleBody{factor, y});
}

void LogSoftmaxRow(const float* x, float* y, std::size_t n) {
  const float most = RowMax(x, n);
  const float rest = __builtin_logf(RowExp(x, most, nullptr, n));
  for (std::size_t j = 0; j < n; ++j) y[j] = (x[j] - most) - rest;  // most + rest would lose the digits of rest
}

void SoftmaxBackwardRow(const float* y, const float* g, float* dx, std::size_t n) {
  const Floats d;
  const std::size_t lanes = hn::Lanes(d);
  auto sums = hn::Zero(d);
  std::size_t j = 0;
  for (; j + lanes <= n; j += lanes) sums = hn::MulAdd(hn::LoadU(d, y + j), hn::LoadU(d, g + j), sums);
  float sum = hn::GetLane(hn::SumOfLanes(d, sums));
  for (; j < n; ++j) sum += y[j] * g[j];
  // What would be denormal is 0: places far away have many of these.
  const auto all = hn::Set(d, sum);
  for (j = 0; j + lanes <= n; j += lanes)
    hn::StoreU(WithoutDenormals(d, hn::Mul(hn::LoadU(d, y + j), hn::Sub(hn::LoadU(d, g + j), all))), d, dx + j);
  if (j == n) return;
  const auto rest = hn::Mul(LoadSome(d, y + j, n - j), hn::Sub(LoadSome(d, g + j, n - j), all));
  StoreSome(WithoutDenormals(d, rest), d, dx + j, n - j);
}

struct LogSoftmaxBackwardBody {
  const float* g;
  hn::Vec<Floats> sum;
  float* dx;
  HWY_INLINE void operator()(std::size_t i, std::size_t count, hn::Vec<Floats> y) const {
    const Floats d;
    HWY_ALIGN float part[HWY_MAX_BYTES / sizeof(float)];
    hn::Store(hn::Mul(Exp(d, y), sum), d, part);
    for (std::size_t j = 0; j < count; ++j) dx[i + j] = g[i + j] - part[j];
  }
};

void LogSoftmaxBackwardRow(const float* y, const float* g, float* dx, std::size_t n) {
  const Floats d;
  const std::size_t lanes = hn::Lanes(d);
  auto sums = hn::Zero(d);
  std::size_t j = 0;
  for (; j + lanes <= n; j += lanes) sums = hn::Add(hn::LoadU(d, g + j), sums);
  float sum = hn::GetLane(hn::SumOfLanes(d, sums));
  for (; j < n; ++j) sum += g[j];
  ForEachVector(y, n, 0.0f, LogSoftmaxBackwardBody{g, hn::Set(d, sum), dx});
}

}  // namespace weft::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace weft::kernels {

HWY_EXPORT(SoftmaxRow);
HWY_EXPORT(LogSoftmaxRow);
HWY_EXPORT(SoftmaxBackwardRow);
HWY_EXPORT(LogSoftmaxBackwardRow);

namespace {

// row(i) for each row, in parallel.
template <class Row>
void for_rows(const Shape& shape, const Row& row) {
  if (shape.numel() == 0) return;
  const std::int64_t n = shape.rank() == 0 ? 1 : shape.back();
  parallel_chunks(shape.numel() / n, rows_per_chunk(n), [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) row(i * n, static_cast<std::size_t>(n));
  });
}

template <class Kernel>
Tensor rowwise(const Tensor& x, const Kernel& kernel) {
  const Tensor from = dense(x);
  Tensor y = from.empty_like();
  const float* source = from.data<float>();
  float* target = y.mutable_data<float>();
  for_rows(x.shape(), [&](std::int64_t at, std::size_t n) { kernel(source + at, target + at, n); });
  return y;
}

template <class Kernel>
Tensor rowwise_backward(const Tensor& y, const Tensor& g, const Kernel& kernel) {
  const Tensor output = dense(y), gradient = dense(g);
  Tensor dx = output.empty_like();
  const float *a = output.data<float>(), *b = gradient.data<float>();
  float* target = dx.mutable_data<float>();
  for_rows(y.shape(), [&](std::int64_t at, std::size_t n) {
    if (reference::all_zero(b + at, static_cast<std::int64_t>(n)))
      std::fill_n(target + at, n, 0.0f);
    else
      kernel(a + at, b + at, target + at, n);
  });
  return dx;
}

}  // namespace

Tensor softmax(const Tensor& x) {
  if (x.dtype() != f32) return reference::softmax(x);
  return rowwise(x, HWY_DYNAMIC_DISPATCH(SoftmaxRow));
}

Tensor log_softmax(const Tensor& x) {
  if (x.dtype() != f32) return reference::log_softmax(x);
  return rowwise(x, HWY_DYNAMIC_DISPATCH(LogSoftmaxRow));
}

// Masked places become -inf, which the vector row handles; a row with nothing finite is left to the plain one.
Tensor masked_softmax(const Tensor& x, const Tensor& mask) {
  if (x.dtype() != f32) return reference::masked_softmax(x, mask);
  const Tensor from = dense(x), kept = dense(mask.expand(x.shape()));
  Tensor y = from.empty_like();
  const float* source = from.data<float>();
  const bool* keep = kept.data<bool>();
  float* target = y.mutable_data<float>();
  const auto row = HWY_DYNAMIC_DISPATCH(SoftmaxRow);
  for_rows(x.shape(), [&](std::int64_t at, std::size_t n) {
    float* to = target + at;
    for (std::size_t j = 0; j < n; ++j)
      to[j] = keep[at + static_cast<std::int64_t>(j)] ? source[at + static_cast<std::int64_t>(j)] : -__builtin_inff();
    row(to, to, n);
    if (__builtin_isnan(to[0])) reference::masked_softmax_row(source + at, keep + at, to, static_cast<std::int64_t>(n));
  });
  return y;
}

Tensor softmax_backward(const Tensor& y, const Tensor& g, const Tensor& mask) {
  if (y.dtype() != f32) return reference::softmax_backward(y, g, mask);
  const auto row = HWY_DYNAMIC_DISPATCH(SoftmaxBackwardRow);
  if (!mask.defined()) return rowwise_backward(y, g, row);
  const Tensor zero = Tensor::zeros({}, f32);
  // Before, as what comes in at a masked place counts for nothing; after, as a NaN among the kept places reaches no masked one.
  return where(mask, rowwise_backward(y, where(mask, g, zero, "softmax"), row), zero, "softmax");
}

Tensor log_softmax_backward(const Tensor& y, const Tensor& g) {
  if (y.dtype() != f32) return reference::log_softmax_backward(y, g);
  return rowwise_backward(y, g, HWY_DYNAMIC_DISPATCH(LogSoftmaxBackwardRow));
}

}  // namespace weft::kernels
#endif
