#include "kernels/lstm_cell.hpp"

#include <algorithm>
#include <cmath>

#include "kernels/elementwise_functions.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/lstm_cell.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "kernels/vector_math-inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace weft::kernels::HWY_NAMESPACE {

// One vector of units at `j`.
template <class D>
HWY_INLINE void ForwardUnits(D d, std::size_t j, std::size_t n, float* gates, const float* c_before, float* c, float* h) {
  const auto i = Sigmoid(d, hn::LoadU(d, gates + j));
  const auto f = Sigmoid(d, hn::LoadU(d, gates + n + j));
  const auto g = Tanh(d, hn::LoadU(d, gates + 2 * n + j));
  const auto o = Sigmoid(d, hn::LoadU(d, gates + 3 * n + j));
  const auto cell = hn::MulAdd(f, hn::LoadU(d, c_before + j), hn::Mul(i, g));
  hn::StoreU(i, d, gates + j);
  hn::StoreU(f, d, gates + n + j);
  hn::StoreU(g, d, gates + 2 * n + j);
  hn::StoreU(o, d, gates + 3 * n + j);
  hn::StoreU(cell, d, c + j);
  hn::StoreU(hn::Mul(o, Tanh(d, cell)), d, h + j);
}

void ForwardRow(std::size_t n, float* gates, const float* c_before, float* c, float* h) {
  const hn::ScalableTag<float> d;
  const hn::CappedTag<float, 1> one;
  std::size_t j = 0;
  for (; j + hn::Lanes(d) <= n; j += hn::Lanes(d)) ForwardUnits(d, j, n, gates, c_before, c, h);
  for (; j < n; ++j) ForwardUnits(one, j, n, gates, c_before, c, h);
}

template <class D>
HWY_INLINE void BackwardUnits(D d, std::size_t j, std::size_t n, const float* gates, const float* c_before, const float* c,
                              const float* dh, float* dc, float* d_gates) {
  const auto one = hn::Set(d, 1.0f);
  const auto i = hn::LoadU(d, gates + j), f = hn::LoadU(d, gates + n + j);
  const auto g = hn::LoadU(d, gates + 2 * n + j), o = hn::LoadU(d, gates + 3 * n + j);
  const auto t = Tanh(d, hn::LoadU(d, c + j));
  const auto dy = hn::LoadU(d, dh + j);
  const auto cell = hn::MulAdd(hn::Mul(dy, o), hn::NegMulAdd(t, t, one), hn::LoadU(d, dc + j));
  hn::StoreU(hn::Mul(hn::Mul(cell, g), hn::Mul(i, hn::Sub(one, i))), d, d_gates + j);
  hn::StoreU(hn::Mul(hn::Mul(cell, hn::LoadU(d, c_before + j)), hn::Mul(f, hn::Sub(one, f))), d, d_gates + n + j);
  hn::StoreU(hn::Mul(hn::Mul(cell, i), hn::NegMulAdd(g, g, one)), d, d_gates + 2 * n + j);
  hn::StoreU(hn::Mul(hn::Mul(dy, t), hn::Mul(o, hn::Sub(one, o))), d, d_gates + 3 * n + j);
  hn::StoreU(hn::Mul(cell, f), d, dc + j);
}

void BackwardRow(std::size_t n, const float* gates, const float* c_before, const float* c, const float* dh, float* dc,
                 float* d_gates) {
  const hn::ScalableTag<float> d;
  const hn::CappedTag<float, 1> one;
  std::size_t j = 0;
  for (; j + hn::Lanes(d) <= n; j += hn::Lanes(d)) BackwardUnits(d, j, n, gates, c_before, c, dh, dc, d_gates);
  for (; j < n; ++j) BackwardUnits(one, j, n, gates, c_before, c, dh, dc, d_gates);
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
  void operator()(std::size_t n, T* gates, const T* c_before, T* c, T* h) const {
    for (std::size_t j = 0; j < n; ++j) {
      T &i = gates[j], &f = gates[n + j], &g = gates[2 * n + j], &o = gates[3 * n + j];
      i = scalar::sigmoid(i);
      f = scalar::sigmoid(f);
      g = std::tanh(g);
      o = scalar::sigmoid(o);
      c[j] = f * c_before[j] + i * g;
      h[j] = o * std::tanh(c[j]);
    }
  }
};

struct PlainBackward {
  template <class T>
  void operator()(std::size_t n, const T* gates, const T* c_before, const T* c, const T* dh, T* dc, T* d_gates) const {
    for (std::size_t j = 0; j < n; ++j) {
      const T i = gates[j], f = gates[n + j], g = gates[2 * n + j], o = gates[3 * n + j], t = std::tanh(c[j]);
      const T cell = dc[j] + dh[j] * o * (1 - t * t);
      d_gates[j] = cell * g * i * (1 - i);
      d_gates[n + j] = cell * c_before[j] * f * (1 - f);
      d_gates[2 * n + j] = cell * i * (1 - g * g);
      d_gates[3 * n + j] = dh[j] * t * o * (1 - o);
      dc[j] = cell * f;
    }
  }
};

template <class T, class Row>
void forward(const LstmCellForward<T>& cell, const Row& row) {
  const std::int64_t n = cell.step.units;
  step_rows(
      cell.step, 8 * n,
      [&](std::int64_t r) {
        row(static_cast<std::size_t>(n), cell.gates + r * cell.gates_row, cell.c_before + r * n, cell.c.row(r, n),
            cell.step.h.row(r, n));
      },
      [&](std::int64_t r) {
        std::fill_n(cell.gates + r * cell.gates_row, 4 * n, T{0});
        std::copy_n(cell.c_before + r * n, n, cell.c.row(r, n));
      });
}

template <class T, class Row>
void backward(const LstmCellBackward<T>& cell, const Row& row) {
  const std::int64_t n = cell.step.units;
  step_rows_back(
      cell.step, 8 * n,
      [&](std::int64_t r) {
        row(static_cast<std::size_t>(n), cell.gates + r * 4 * n, cell.c_before + r * n, cell.c.row(r, n), cell.step.dh + r * n,
            cell.dc + r * n, cell.d_gates + r * 4 * n);
      },
      [&](std::int64_t r) { std::fill_n(cell.d_gates + r * 4 * n, 4 * n, T{0}); });
}

}  // namespace

void lstm_cell(const LstmCellForward<float>& cell) { forward(cell, HWY_DYNAMIC_DISPATCH(ForwardRow)); }
void lstm_cell(const LstmCellForward<double>& cell) { forward(cell, PlainForward{}); }
void lstm_cell_backward(const LstmCellBackward<float>& cell) { backward(cell, HWY_DYNAMIC_DISPATCH(BackwardRow)); }
void lstm_cell_backward(const LstmCellBackward<double>& cell) { backward(cell, PlainBackward{}); }

namespace reference {
void lstm_cell(const LstmCellForward<float>& cell) { forward(cell, PlainForward{}); }
void lstm_cell_backward(const LstmCellBackward<float>& cell) { backward(cell, PlainBackward{}); }
}  // namespace reference

}  // namespace weft::kernels
#endif
