#include "kernels/rnn_cell.hpp"

#include <algorithm>
#include <cmath>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/rnn_cell.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "kernels/vector_math-inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace weft::kernels::HWY_NAMESPACE {

// One vector of units; NaN stays NaN.
template <class D>
HWY_INLINE void ForwardUnits(D d, bool relu, const float* gates, float* h) {
  const auto x = hn::LoadU(d, gates);
  hn::StoreU(relu ? hn::IfThenZeroElse(hn::Lt(x, hn::Zero(d)), x) : Tanh(d, x), d, h);
}

void ForwardRow(std::size_t n, bool relu, const float* gates, float* h) {
  const hn::ScalableTag<float> d;
  const hn::CappedTag<float, 1> one;
  std::size_t j = 0;
  for (; j + hn::Lanes(d) <= n; j += hn::Lanes(d)) ForwardUnits(d, relu, gates + j, h + j);
  for (; j < n; ++j) ForwardUnits(one, relu, gates + j, h + j);
}

template <class D>
HWY_INLINE void BackwardUnits(D d, bool relu, const float* h, const float* dh, float* d_gates) {
  const auto y = hn::LoadU(d, h), dy = hn::LoadU(d, dh);
  hn::StoreU(relu ? hn::IfThenZeroElse(hn::Le(y, hn::Zero(d)), dy) : hn::Mul(dy, hn::NegMulAdd(y, y, hn::Set(d, 1.0f))), d,
             d_gates);
}

void BackwardRow(std::size_t n, bool relu, const float* h, const float* dh, float* d_gates) {
  const hn::ScalableTag<float> d;
  const hn::CappedTag<float, 1> one;
  std::size_t j = 0;
  for (; j + hn::Lanes(d) <= n; j += hn::Lanes(d)) BackwardUnits(d, relu, h + j, dh + j, d_gates + j);
  for (; j < n; ++j) BackwardUnits(one, relu, h + j, dh + j, d_gates + j);
}

}  // namespace weft::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace weft::kernels {

HWY_EXPORT(ForwardRow);
HWY_EXPORT(BackwardRow);

namespace {

struct PlainForward {
  template <class T>
  void operator()(std::size_t n, bool relu, const T* gates, T* h) const {
    for (std::size_t j = 0; j < n; ++j) h[j] = !relu ? std::tanh(gates[j]) : gates[j] < 0 ? T{0} : gates[j];
  }
};

struct PlainBackward {
  template <class T>
  void operator()(std::size_t n, bool relu, const T* h, const T* dh, T* d_gates) const {
    for (std::size_t j = 0; j < n; ++j) d_gates[j] = !relu ? dh[j] * (1 - h[j] * h[j]) : h[j] <= 0 ? T{0} : dh[j];
  }
};

template <class T, class Row>
void forward(const RnnCellForward<T>& cell, const Row& row) {
  const std::int64_t n = cell.step.units;
  step_rows(
      cell.step, 4 * n,
      [&](std::int64_t r) { row(static_cast<std::size_t>(n), cell.relu, cell.gates + r * n, cell.step.h.row(r, n)); },
      [](std::int64_t) {});
}

template <class T, class Row>
void backward(const RnnCellBackward<T>& cell, const Row& row) {
  const std::int64_t n = cell.step.units;
  step_rows_back(
      cell.step, 4 * n,
      [&](std::int64_t r) {
        row(static_cast<std::size_t>(n), cell.relu, cell.h.row(r, n), cell.step.dh + r * n, cell.d_gates + r * n);
      },
      [&](std::int64_t r) { std::fill_n(cell.d_gates + r * n, n, T{0}); });
}

}  // namespace

void rnn_cell(const RnnCellForward<float>& cell) { forward(cell, HWY_DYNAMIC_DISPATCH(ForwardRow)); }
void rnn_cell(const RnnCellForward<double>& cell) { forward(cell, PlainForward{}); }
void rnn_cell_backward(const RnnCellBackward<float>& cell) { backward(cell, HWY_DYNAMIC_DISPATCH(BackwardRow)); }
void rnn_cell_backward(const RnnCellBackward<double>& cell) { backward(cell, PlainBackward{}); }

namespace reference {
void rnn_cell(const RnnCellForward<float>& cell) { forward(cell, PlainForward{}); }
void rnn_cell_backward(const RnnCellBackward<float>& cell) { backward(cell, PlainBackward{}); }
}  // namespace reference

}  // namespace weft::kernels
#endif
