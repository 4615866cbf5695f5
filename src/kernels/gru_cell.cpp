#include "kernels/gru_cell.hpp"

#include <algorithm>
#include <cmath>

#include "kernels/elementwise_functions.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/gru_cell.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "kernels/vector_math-inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace weft::kernels::HWY_NAMESPACE {

// One vector of units at `j`.
template <class D>
HWY_INLINE void ForwardUnits(D d, std::size_t j, std::size_t n, float* gates, const float* recurrent, const float* h_before,
                             float* h) {
  const auto r = Sigmoid(d, hn::Add(hn::LoadU(d, gates + j), hn::LoadU(d, recurrent + j)));
  const auto z = Sigmoid(d, hn::Add(hn::LoadU(d, gates + n + j), hn::LoadU(d, recurrent + n + j)));
  const auto c = Tanh(d, hn::MulAdd(r, hn::LoadU(d, recurrent + 2 * n + j), hn::LoadU(d, gates + 2 * n + j)));
  hn::StoreU(r, d, gates + j);
  hn::StoreU(z, d, gates + n + j);
  hn::StoreU(c, d, gates + 2 * n + j);
  hn::StoreU(hn::MulAdd(z, hn::Sub(hn::LoadU(d, h_before + j), c), c), d, h + j);
}

void ForwardRow(std::size_t n, float* gates, const float* recurrent, const float* h_before, float* h) {
  const hn::ScalableTag<float> d;
  const hn::CappedTag<float, 1> one;
  std::size_t j = 0;
  for (; j + hn::Lanes(d) <= n; j += hn::Lanes(d)) ForwardUnits(d, j, n, gates, recurrent, h_before, h);
  for (; j < n; ++j) ForwardUnits(one, j, n, gates, recurrent, h_before, h);
}

template <class D>
HWY_INLINE void BackwardUnits(D d, std::size_t j, std::size_t n, const float* gates, const float* recurrent_n,
                              const float* h_before, float* dh, float* d_gates, float* d_recurrent) {
  const auto one = hn::Set(d, 1.0f);
  const auto r = hn::LoadU(d, gates + j), z = hn::LoadU(d, gates + n + j), c = hn::LoadU(d, gates + 2 * n + j);
  const auto dy = hn::LoadU(d, dh + j), keep = hn::Sub(one, z);
  const auto dc = hn::Mul(hn::Mul(dy, keep), hn::NegMulAdd(c, c, one));
  const auto dr = hn::Mul(hn::Mul(dc, hn::LoadU(d, recurrent_n + j)), hn::Mul(r, hn::Sub(one, r)));
  const auto dz = hn::Mul(hn::Mul(dy, hn::Sub(hn::LoadU(d, h_before + j), c)), hn::Mul(z, keep));
  hn::StoreU(dr, d, d_gates + j);
  hn::StoreU(dz, d, d_gates + n + j);
  hn::StoreU(dc, d, d_gates + 2 * n + j);
  hn::StoreU(dr, d, d_recurrent + j);
  hn::StoreU(dz, d, d_recurrent + n + j);
  hn::StoreU(hn::Mul(dc, r), d, d_recurrent + 2 * n + j);
  hn::StoreU(hn::Mul(dy, z), d, dh + j);
}

void BackwardRow(std::size_t n, const float* gates, const float* recurrent_n, const float* h_before, float* dh, float* d_gates,
                 float* d_recurrent) {
  const hn::ScalableTag<float> d;
  const hn::CappedTag<float, 1> one;
  std::size_t j = 0;
  for (; j + hn::Lanes(d) <= n; j += hn::Lanes(d))
    BackwardUnits(d, j, n, gates, recurrent_n, h_before, dh, d_gates, d_recurrent);
  for (; j < n; ++j) BackwardUnits(one, j, n, gates, recurrent_n, h_before, dh, d_gates, d_recurrent);
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
  void operator()(std::size_t n, T* gates, const T* recurrent, const T* h_before, T* h) const {
    for (std::size_t j = 0; j < n; ++j) {
      T &r = gates[j], &z = gates[n + j], &c = gates[2 * n + j];
      r = scalar::sigmoid(r + recurrent[j]);
      z = scalar::sigmoid(z + recurrent[n + j]);
      c = std::tanh(c + r * recurrent[2 * n + j]);
      h[j] = c + z * (h_before[j] - c);
    }
  }
};

struct PlainBackward {
  template <class T>
  void operator()(std::size_t n, const T* gates, const T* recurrent_n, const T* h_before, T* dh, T* d_gates,
                  T* d_recurrent) const {
    for (std::size_t j = 0; j < n; ++j) {
      const T r = gates[j], z = gates[n + j], c = gates[2 * n + j];
      const T dc = dh[j] * (1 - z) * (1 - c * c);
      d_gates[j] = d_recurrent[j] = dc * recurrent_n[j] * r * (1 - r);
      d_gates[n + j] = d_recurrent[n + j] = dh[j] * (h_before[j] - c) * z * (1 - z);
      d_gates[2 * n + j] = dc;
      d_recurrent[2 * n + j] = dc * r;
      dh[j] *= z;
    }
  }
};

template <class T, class Row>
void forward(const GruCellForward<T>& cell, const Row& row) {
  const std::int64_t n = cell.step.units;
  step_rows(
      cell.step, 8 * n,
      [&](std::int64_t r) {
        const T* recurrent = cell.recurrent + r * 3 * n;
        row(static_cast<std::size_t>(n), cell.gates + r * 3 * n, recurrent, cell.step.h_before + r * n, cell.step.h.row(r, n));
        std::copy_n(recurrent + 2 * n, n, cell.recurrent_n + r * n);
      },
      [&](std::int64_t r) {
        std::fill_n(cell.gates + r * 3 * n, 3 * n, T{0});
        std::fill_n(cell.recurrent_n + r * n, n, T{0});
      });
}

template <class T, class Row>
void backward(const GruCellBackward<T>& cell, const Row& row) {
  const std::int64_t n = cell.step.units;
  step_rows_back(
      cell.step, 8 * n,
      [&](std::int64_t r) {
        row(static_cast<std::size_t>(n), cell.gates + r * 3 * n, cell.recurrent_n + r * n, cell.h_before + r * n,
            cell.step.dh + r * n, cell.d_gates + r * 3 * n, cell.d_recurrent + r * 3 * n);
      },
      [&](std::int64_t r) {
        std::fill_n(cell.d_gates + r * 3 * n, 3 * n, T{0});
        std::fill_n(cell.d_recurrent + r * 3 * n, 3 * n, T{0});
      });
}

}  // namespace

void gru_cell(const GruCellForward<float>& cell) { forward(cell, HWY_DYNAMIC_DISPATCH(ForwardRow)); }
void gru_cell(const GruCellForward<double>& cell) { forward(cell, PlainForward{}); }
void gru_cell_backward(const GruCellBackward<float>& cell) { backward(cell, HWY_DYNAMIC_DISPATCH(BackwardRow)); }
void gru_cell_backward(const GruCellBackward<double>& cell) { backward(cell, PlainBackward{}); }

namespace reference {
void gru_cell(const GruCellForward<float>& cell) { forward(cell, PlainForward{}); }
void gru_cell_backward(const GruCellBackward<float>& cell) { backward(cell, PlainBackward{}); }
}  // namespace reference

}  // namespace weft::kernels
#endif
