#pragma once
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>

#include "kernels/parallel.hpp"
#include "weft/tensor/tensor.hpp"

namespace weft::kernels {

/// The targets that rows of frames are aligned with. What stands behind a length is not read.
struct Alignment {
  Tensor targets;         ///< [batch, most], i64, dense; none is the blank
  Tensor input_lengths;   ///< [batch], i64, dense
  Tensor target_lengths;  ///< [batch], i64, dense
  std::int64_t blank = 0;
  bool zero_infinity = false;  ///< an impossible target's loss is 0 instead of infinite, its gradient 0 instead of NaN
};

/// What a sum over alignments gives, the last two for its backward pass.
struct AlignmentSums {
  Tensor losses;      ///< [batch], of the logits' dtype
  Tensor logsumexps;  ///< of the logits over the classes; NaN where that is +inf, as softmax is then
  Tensor alphas;      ///< f64: logarithms of the probability of all beginnings of alignments that end in a state
};

namespace alignment {

inline constexpr double impossible = -std::numeric_limits<double>::infinity();

/// log(e^a + e^b); a NaN goes through.
inline double log_add(double a, double b) {
  if (a == impossible) return b;
  if (b == impossible) return a;
  return (a > b ? a : b) + std::log1p(std::exp(-std::abs(a - b)));
}

/// What is given as loss for the logarithm of a probability.
inline double loss_of(double log_total, bool zero_infinity) {
  return zero_infinity && log_total == impossible ? 0 : -log_total;
}

/// body(row) for each of `rows`, whose `states` sums each cost as much as some elements of other work.
template <class Body>
void for_rows(std::int64_t rows, std::int64_t states, const Body& body) {
  parallel_chunks(rows, rows_per_chunk(32 * states), [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t row = begin; row < end; ++row) body(row);
  });
}

/// Fills what of a row's gradient needs no alignments: zeros behind the `used` elements of `size`, and all of it where the
/// row counts for nothing or its target is impossible. True when that was all.
template <class T>
bool settle_gradient(T* gradient, std::int64_t used, std::int64_t size, double factor, double log_total, bool zero_infinity) {
  std::fill(gradient + used, gradient + size, T{0});
  const bool infinite = log_total == impossible, nothing = factor == 0 || (infinite && zero_infinity);
  if (nothing || infinite) std::fill_n(gradient, used, nothing ? T{0} : std::numeric_limits<T>::quiet_NaN());
  return nothing || infinite;
}

/// The `logsumexps` of logits [..., classes].
Tensor logsumexps_of(const Tensor& logits);
/// softmax(logits); rows whose logits are padding hold anything.
Tensor probabilities(const Tensor& logits, const Tensor& logsumexps);

}  // namespace alignment
}  // namespace weft::kernels
