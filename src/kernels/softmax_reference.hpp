#pragma once
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>

namespace weft::kernels::reference {

/// Whether nothing comes in from a row: then nothing goes out, whatever the row is.
template <class T>
bool all_zero(const T* g, std::int64_t n) {
  return std::all_of(g, g + n, [](T element) { return element == 0; });
}

/// y = exp(x - max) / sum over the kept places (keep null: all); 0 elsewhere. Nothing kept: zeros.
template <class T>
void masked_softmax_row(const T* x, const bool* keep, T* y, std::int64_t n) {
  const auto kept = [&](std::int64_t j) { return keep == nullptr || keep[j]; };
  T most = -std::numeric_limits<T>::infinity(), sum = 0;
  for (std::int64_t j = 0; j < n; ++j)
    if (kept(j) && x[j] > most) most = x[j];
  for (std::int64_t j = 0; j < n; ++j) {
    y[j] = kept(j) ? std::exp(x[j] - most) : T{0};
    sum += y[j];
  }
  for (std::int64_t j = 0; j < n; ++j)
    if (kept(j)) y[j] /= sum;
}

}  // namespace weft::kernels::reference
