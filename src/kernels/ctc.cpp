#include "kernels/ctc.hpp"

#include <algorithm>

// T frames, V classes, S = 2L + 1 states: a target of L labels with a blank before, between and behind them.
namespace weft::kernels {
namespace {

using alignment::for_rows;
using alignment::impossible;
using alignment::log_add;

template <class T>
struct Row {
  const T* logits;             // [T, V]
  const T* logsumexps;         // [T]
  const std::int64_t* target;  // [L]
  std::int64_t frames, classes, states, blank;

  std::int64_t label(std::int64_t s) const { return s % 2 == 0 ? blank : target[s / 2]; }
  // From s - 2 to s, past the blank between two labels that differ.
  bool skips(std::int64_t s) const { return s % 2 == 1 && s >= 3 && label(s) != label(s - 2); }
  double log_prob(std::int64_t t, std::int64_t s) const {
    return static_cast<double>(logits[t * classes + label(s)]) - static_cast<double>(logsumexps[t]);
  }
};

template <class T>
Row<T> row_of(std::int64_t i, const Tensor& logits, const Tensor& logsumexps, const Alignment& a) {
  const std::int64_t time = logits.size(1), classes = logits.size(2);
  return {logits.data<T>() + i * time * classes,
          logsumexps.data<T>() + i * time,
          a.targets.data<std::int64_t>() + i * a.targets.size(1),
          a.input_lengths.data<std::int64_t>()[i],
          classes,
          2 * a.target_lengths.data<std::int64_t>()[i] + 1,
          a.blank};
}

// alpha[t, s]: all ways to be in state s at frame t, emissions up to t included.
template <class T>
void fill_alphas(const Row<T>& row, double* alphas, std::int64_t stride) {
  for (std::int64_t t = 0; t < row.frames; ++t) {
    double* const now = alphas + t * stride;
    for (std::int64_t s = 0; s < row.states; ++s) {
      double sum = t == 0 && s < 2 ? 0 : impossible;
      if (t > 0) {
        const double* const before = now - stride;
        sum = before[s];
        if (s >= 1) sum = log_add(sum, before[s - 1]);
        if (row.skips(s)) sum = log_add(sum, before[s - 2]);
      }
      now[s] = sum + row.log_prob(t, s);
    }
  }
}

template <class T>
double log_total(const Row<T>& row, const double* alphas, std::int64_t stride) {
  if (row.frames == 0) return row.states == 1 ? 0 : impossible;
  const double* const last = alphas + (row.frames - 1) * stride + row.states;
  return row.states == 1 ? last[-1] : log_add(last[-1], last[-2]);
}

// beta[s] of frame t, emissions of t not included, becomes that of t - 1: `next` is room for S.
template <class T>
void step_back(const Row<T>& row, std::int64_t t, double* beta, double* next) {
  for (std::int64_t s = 0; s < row.states; ++s) next[s] = beta[s] + row.log_prob(t, s);
  for (std::int64_t s = 0; s < row.states; ++s) {
    beta[s] = next[s];
    if (s + 1 < row.states) beta[s] = log_add(beta[s], next[s + 1]);
    if (s + 2 < row.states && row.skips(s + 2)) beta[s] = log_add(beta[s], next[s + 2]);
  }
}

// y [T, V] holds softmax(logits) and becomes factor (softmax - occupancy): what share of the alignments, by probability, has
// class k at frame t. `room`: 2S + V.
template <class T>
void row_backward(const Row<T>& row, const double* alphas, std::int64_t stride, double total, double factor, double* room,
                  T* y) {
  double *const beta = room, *const next = beta + row.states, *const occupancy = next + row.states;
  std::fill_n(beta, row.states, impossible);
  std::fill_n(occupancy, row.classes, 0.0);
  for (std::int64_t s = std::max<std::int64_t>(row.states - 2, 0); s < row.states; ++s) beta[s] = 0;
  for (std::int64_t t = row.frames - 1; t >= 0; --t) {
    T* const to = y + t * row.classes;
    for (std::int64_t k = 0; k < row.classes; ++k) to[k] *= static_cast<T>(factor);
    for (std::int64_t s = 0; s < row.states; ++s) occupancy[row.label(s)] += std::exp(alphas[t * stride + s] + beta[s] - total);
    for (std::int64_t s = 0; s < row.states; s += s == 0 ? 1 : 2)
      to[row.label(s)] = static_cast<T>(factor * (std::exp(row.log_prob(t, s)) - occupancy[row.label(s)]));
    for (std::int64_t s = 0; s < row.states; s += s == 0 ? 1 : 2) occupancy[row.label(s)] = 0;
    if (t > 0) step_back(row, t, beta, next);
  }
}

template <class T>
void forward(const Tensor& logits, const Alignment& a, AlignmentSums& sums) {
  const std::int64_t time = logits.size(1), stride = sums.alphas.size(2);
  double* const alphas = sums.alphas.mutable_data<double>();
  T* const losses = sums.losses.mutable_data<T>();
  for_rows(logits.size(0), time * stride, [&](std::int64_t i) {
    const Row<T> row = row_of<T>(i, logits, sums.logsumexps, a);
    double* const own = alphas + i * time * stride;
    fill_alphas(row, own, stride);
    losses[i] = static_cast<T>(alignment::loss_of(log_total(row, own, stride), a.zero_infinity));
  });
}

template <class T>
void backward(const Tensor& logits, const Alignment& a, const AlignmentSums& sums, const Tensor& factors, Tensor& result) {
  const std::int64_t time = logits.size(1), classes = logits.size(2), stride = sums.alphas.size(2);
  T* const gradients = result.mutable_data<T>();
  for_rows(logits.size(0), time * stride, [&](std::int64_t i) {
    const Row<T> row = row_of<T>(i, logits, sums.logsumexps, a);
    const double* const alphas = sums.alphas.data<double>() + i * time * stride;
    const auto factor = static_cast<double>(factors.data<T>()[i]);
    const double total = log_total(row, alphas, stride);
    T* const y = gradients + i * time * classes;
    if (alignment::settle_gradient(y, row.frames * classes, time * classes, factor, total, a.zero_infinity)) return;
    Tensor room = Tensor::empty({2 * row.states + classes}, f64);
    row_backward(row, alphas, stride, total, factor, room.mutable_data<double>(), y);
  });
}

}  // namespace

AlignmentSums ctc_loss(const Tensor& logits, const Alignment& a) {
  AlignmentSums sums{Tensor::empty({logits.size(0)}, logits.dtype()), alignment::logsumexps_of(logits),
                     Tensor::empty({logits.size(0), logits.size(1), 2 * a.targets.size(1) + 1}, f64)};
  logits.dtype() == f32 ? forward<float>(logits, a, sums) : forward<double>(logits, a, sums);
  return sums;
}

Tensor ctc_loss_backward(const Tensor& logits, const Alignment& a, const AlignmentSums& sums, const Tensor& factors) {
  Tensor result = alignment::probabilities(logits, sums.logsumexps);
  logits.dtype() == f32 ? backward<float>(logits, a, sums, factors, result)
                        : backward<double>(logits, a, sums, factors, result);
  return result;
}

}  // namespace weft::kernels
