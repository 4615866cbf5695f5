#include "kernels/entmax.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>

#include "kernels/elementwise.hpp"
#include "kernels/parallel.hpp"
#include "weft/tensor/pool_vector.hpp"

namespace weft::kernels {
namespace {

// The t for scores of falling size. Each finds it from the k largest, for the most k that leave the k-th above it.

// sum (z - t) = 1:  t = (sum z - 1) / k
double sparsemax_threshold(const PoolVector<double>& z) {
  double sum = 0, t = 0;
  for (std::size_t k = 1; k <= z.size(); ++k) {
    sum += z[k - 1];
    const double next = (sum - 1) / static_cast<double>(k);
    if (k > 1 && z[k - 1] <= next) break;
    t = next;
  }
  return t;
}

// sum (z - t)^2 = 1:  t = mean z - sqrt((1 - sum (z - mean z)^2) / k)
double entmax15_threshold(const PoolVector<double>& z) {
  double mean = 0, scatter = 0, t = 0;  // scatter: sum (z - mean)^2, Welford's way
  for (std::size_t k = 1; k <= z.size(); ++k) {
    const double count = static_cast<double>(k), off = z[k - 1] - mean;
    mean += off / count;
    scatter += off * (z[k - 1] - mean);
    if (k > 1 && scatter > 1) break;
    const double next = mean - std::sqrt((1 - scatter) / count);
    if (k > 1 && z[k - 1] <= next) break;
    t = next;
  }
  return t;
}

// Scores in double and with the largest at 0, so that f32 loses no digits in long rows.
template <class T, class Threshold, class Weight>
void row(const T* x, const bool* keep, T* y, std::int64_t n, double scale, const Threshold& threshold, const Weight& weight,
         PoolVector<double>& z) {
  z.clear();
  bool nan = false;
  for (std::int64_t j = 0; j < n; ++j) {
    if (keep != nullptr && !keep[j]) continue;
    z.push_back(scale * static_cast<double>(x[j]));
    nan = nan || std::isnan(z.back());
  }
  std::fill_n(y, n, T{0});
  if (z.empty()) return;
  const double most = nan ? 0 : *std::max_element(z.begin(), z.end());
  if (nan || std::isinf(most)) {
    for (std::int64_t j = 0; j < n; ++j)
      if (keep == nullptr || keep[j]) y[j] = std::numeric_limits<T>::quiet_NaN();
    return;
  }
  for (double& score : z) score -= most;
  // What is 1 or more below the largest can't have a weight.
  std::erase_if(z, [](double score) { return score <= -1; });
  std::sort(z.begin(), z.end(), std::greater<>());
  const double t = threshold(z);
  for (std::int64_t j = 0; j < n; ++j)
    if (keep == nullptr || keep[j]) {
      const double above = scale * static_cast<double>(x[j]) - most - t;
      if (above > 0) y[j] = static_cast<T>(weight(above));
    }
}

template <class Threshold, class Weight>
Tensor rows(const Tensor& x, const Tensor& mask, double scale, const Threshold& threshold, const Weight& weight) {
  const Tensor from = dense(x), kept = mask.defined() ? dense(mask.expand(x.shape())) : Tensor();
  Tensor y = from.empty_like();
  if (y.numel() == 0) return y;
  const std::int64_t n = x.shape().back();
  const bool* keep = kept.defined() ? kept.data<bool>() : nullptr;
  const auto run = [&](const auto* source, auto* target) {
    parallel_chunks(x.numel() / n, rows_per_chunk(n), [&](std::int64_t begin, std::int64_t end) {
      PoolVector<double> scratch;
      for (std::int64_t at = begin * n; at < end * n; at += n)
        row(source + at, keep == nullptr ? nullptr : keep + at, target + at, n, scale, threshold, weight, scratch);
    });
  };
  x.dtype() == f32 ? run(from.data<float>(), y.mutable_data<float>()) : run(from.data<double>(), y.mutable_data<double>());
  return y;
}

}  // namespace

Tensor sparsemax(const Tensor& x, const Tensor& mask) {
  return rows(x, mask, 1, sparsemax_threshold, [](double above) { return above; });
}

Tensor entmax15(const Tensor& x, const Tensor& mask) {
  return rows(x, mask, 0.5, entmax15_threshold, [](double above) { return above * above; });
}

}  // namespace weft::kernels
