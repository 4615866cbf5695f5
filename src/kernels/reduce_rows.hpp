#pragma once
#include <cstddef>

namespace weft::kernels {

/// Columns that are reduced together, side by side.
inline constexpr std::size_t columns_at_once = 256;

/// Vector kernels of reductions over f32, for one instruction set. Sums are held in f32 over short blocks, in f64 beyond.
struct ReduceRows {
  double (*sum)(const float* x, std::size_t n);
  /// NaN where there is one, -inf and inf of nothing.
  double (*max)(const float* x, std::size_t n);
  double (*min)(const float* x, std::size_t n);
  /// Sum of e^(x - shift).
  double (*sum_exp)(const float* x, float shift, std::size_t n);
  /// x [rows, columns], rows `step` apart, columns <= columns_at_once: what each column has goes into its `total`.
  void (*sum_columns)(const float* x, std::ptrdiff_t step, std::size_t rows, std::size_t columns, double* totals);
  void (*max_columns)(const float* x, std::ptrdiff_t step, std::size_t rows, std::size_t columns, double* totals);
  void (*min_columns)(const float* x, std::ptrdiff_t step, std::size_t rows, std::size_t columns, double* totals);
};

/// Those of the instruction set in use.
const ReduceRows& reduce_rows();

}  // namespace weft::kernels
