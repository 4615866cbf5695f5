#include "kernels/factored.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include "kernels/parallel.hpp"
#include "kernels/squares.hpp"

namespace weft::kernels {
namespace {

double inverse_root_or_0(double x) { return x == 0 ? 0 : 1 / std::sqrt(x); }

template <class T>
double update_mean(T& mean, double square, const SquaresStep& step) {
  mean = static_cast<T>(step.beta2 * static_cast<double>(mean) + (1 - step.beta2) * (square + step.floor));
  return static_cast<double>(mean);
}

// Columns that one task sums up, row by row.
constexpr std::int64_t columns_per_chunk = 256;

// One matrix [n, m]; inverse_roots [m] is room to work in.
template <class T>
void matrix_direction(T* grad, T* row, T* col, double* inverse_roots, std::int64_t n, std::int64_t m, const SquaresStep& step) {
  const auto rows = static_cast<double>(n), columns = static_cast<double>(m);
  parallel_chunks(n, rows_per_chunk(m), [=, &step](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) update_mean(row[i], squares(grad + i * m, m) / columns, step);
  });
  parallel_chunks(m, columns_per_chunk, [=, &step](std::int64_t begin, std::int64_t end) {
    std::array<double, columns_per_chunk> sums{};
    for (std::int64_t i = 0; i < n; ++i)
      for (std::int64_t j = begin; j < end; ++j) {
        const auto g = static_cast<double>(grad[i * m + j]);
        sums[static_cast<std::size_t>(j - begin)] += g * g;
      }
    for (std::int64_t j = begin; j < end; ++j)
      inverse_roots[j] = inverse_root_or_0(update_mean(col[j], sums[static_cast<std::size_t>(j - begin)] / rows, step));
  });
  double total = 0;
  for (std::int64_t i = 0; i < n; ++i) total += static_cast<double>(row[i]);
  const double mean = total / rows;
  parallel_chunks(n, rows_per_chunk(m), [=](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      const double scale = mean == 0 ? 0 : inverse_root_or_0(static_cast<double>(row[i]) / mean);
      for (std::int64_t j = 0; j < m; ++j)
        grad[i * m + j] = static_cast<T>(static_cast<double>(grad[i * m + j]) * scale * inverse_roots[j]);
    }
  });
}

}  // namespace

void factored_direction(Tensor& grad, Tensor& row, Tensor& col, Tensor& room, const SquaresStep& step) {
  if (grad.numel() == 0) return;
  const std::int64_t n = grad.size(-2), m = grad.size(-1);
  const auto with = [&]<class T>(T) {
    T *g = grad.mutable_data<T>(), *r = row.mutable_data<T>(), *c = col.mutable_data<T>();
    auto* inverse_roots = room.mutable_data<double>();
    for (std::int64_t k = 0; k < grad.numel() / (n * m); ++k)
      matrix_direction(g + k * n * m, r + k * n, c + k * m, inverse_roots, n, m, step);
  };
  grad.dtype() == DType::f64 ? with(double{}) : with(float{});
}

void direction(Tensor& grad, Tensor& exp_avg_sq, const SquaresStep& step) {
  const auto with = [&]<class T>(T) {
    T *g = grad.mutable_data<T>(), *v = exp_avg_sq.mutable_data<T>();
    parallel_chunks(grad.numel(), elements_per_chunk, [=, &step](std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = begin; i < end; ++i) {
        const auto x = static_cast<double>(g[i]);
        g[i] = static_cast<T>(x * inverse_root_or_0(update_mean(v[i], x * x, step)));
      }
    });
  };
  grad.dtype() == DType::f64 ? with(double{}) : with(float{});
}

}  // namespace weft::kernels
