#include "kernels/ctc.hpp"

#include <algorithm>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/ctc.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>
// After highway.h:
#include <hwy/contrib/math/math-inl.h>

HWY_BEFORE_NAMESPACE();
namespace weft::kernels::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

// e^x; Highway's has 0 for NaN.
template <class D, class V = hn::Vec<D>>
HWY_INLINE V ExpOf(D d, V x) {
  return hn::IfThenElse(hn::IsNaN(x), x, hn::Exp(d, x));
}

// log(e^a + e^b + e^c); a NaN goes through.
template <class D, class V = hn::Vec<D>>
HWY_INLINE V LogAdd(D d, V a, V b, V c) {
  const V high = hn::Max(a, b), most = hn::Max(high, c);
  const V low = hn::Min(a, b), middle = hn::Min(high, c);
  // Where all three are -inf, so is the sum of the last line.
  const V offset = hn::IfThenZeroElse(hn::Eq(most, hn::Neg(hn::Inf(d))), most);
  const V rest = hn::Add(hn::Exp(d, hn::Sub(low, offset)), hn::Exp(d, hn::Sub(middle, offset)));
  const V sum = hn::Add(most, hn::Log(d, hn::Add(rest, hn::Set(d, 1.0))));
  const V all = hn::Add(hn::Add(a, b), c);
  return hn::IfThenElse(hn::IsNaN(all), all, sum);
}

template <class D>
HWY_INLINE void StepVector(D d, const double* from, std::ptrdiff_t step, const double* skips, double* to) {
  const auto skipped = hn::Add(hn::LoadU(d, from + 2 * step), hn::LoadU(d, skips));
  hn::StoreU(LogAdd(d, hn::LoadU(d, from), hn::LoadU(d, from + step), skipped), d, to);
}

// Sums of the ways into (step -1) or out of (step 1) n states: from themselves, from the state beside them, and from the one
// behind that where `skips` is 0 and not -inf. All are logarithms.
void StepStates(const double* from, std::ptrdiff_t step, const double* skips, double* to, std::size_t n) {
  const hn::ScalableTag<double> d;
  const hn::CappedTag<double, 1> one;
  std::size_t s = 0;
  for (; s + hn::Lanes(d) <= n; s += hn::Lanes(d)) StepVector(d, from + s, step, skips + s, to + s);
  for (; s < n; ++s) StepVector(one, from + s, step, skips + s, to + s);
}

void ExpInPlace(double* x, std::size_t n) {
  const hn::ScalableTag<double> d;
  const hn::CappedTag<double, 1> one;
  std::size_t s = 0;
  for (; s + hn::Lanes(d) <= n; s += hn::Lanes(d)) hn::StoreU(ExpOf(d, hn::LoadU(d, x + s)), d, x + s);
  for (; s < n; ++s) hn::StoreU(ExpOf(one, hn::LoadU(one, x + s)), one, x + s);
}

}  // namespace weft::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
// T frames, V classes, S = 2L + 1 states: a target of L labels with a blank before, between and behind them.
namespace weft::kernels {

HWY_EXPORT(StepStates);
HWY_EXPORT(ExpInPlace);

namespace {

using alignment::for_rows;
using alignment::impossible;
using alignment::log_add;

// States that there aren't, on either side of a row's: they can't be reached, so that steps need no bounds.
constexpr std::int64_t pads = 2;

template <class T>
struct Row {
  const T* logits;             // [T, V]
  const T* logsumexps;         // [T]
  const std::int64_t* target;  // [L]
  std::int64_t frames, classes, states, blank;

  std::int64_t label(std::int64_t s) const { return s % 2 == 0 ? blank : target[s / 2]; }
  // From s - 2 to s, past the blank between two labels that differ.
  bool skips(std::int64_t s) const { return s % 2 == 1 && s >= 3 && label(s) != label(s - 2); }
  // What each state emits at frame t, as logarithms.
  void emissions(std::int64_t t, double* to) const {
    const T* const frame = logits + t * classes;
    const auto logsumexp = static_cast<double>(logsumexps[t]);
    std::fill_n(to, states, static_cast<double>(frame[blank]) - logsumexp);
    for (std::int64_t i = 0; i < states / 2; ++i) to[2 * i + 1] = static_cast<double>(frame[target[i]]) - logsumexp;
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

// Room for a row's states with pads behind them; all start as `impossible`.
Tensor states_room(std::int64_t arrays, std::int64_t states) { return Tensor::full({arrays, states + pads}, impossible, f64); }

// [s]: 0 where states may be skipped into, `impossible` where not.
template <class T>
void fill_skips(const Row<T>& row, double* skips) {
  for (std::int64_t s = 0; s < row.states; ++s) skips[s] = row.skips(s) ? 0 : impossible;
}

void add(const double* x, std::int64_t n, double* to) {
  for (std::int64_t i = 0; i < n; ++i) to[i] += x[i];
}

// alpha[t, s]: all ways to be in state s at frame t, emissions up to t included; the pads come before each frame's states.
template <class T>
void fill_alphas(const Row<T>& row, double* alphas, std::int64_t stride) {
  Tensor room = states_room(2, row.states);
  double *const skips = room.mutable_data<double>(), *const emitted = skips + row.states + pads;
  fill_skips(row, skips);
  const auto step_states = HWY_DYNAMIC_DISPATCH(StepStates);
  for (std::int64_t t = 0; t < row.frames; ++t) {
    double* const now = alphas + t * stride + pads;
    std::fill_n(now - pads, pads, impossible);
    if (t == 0)
      for (std::int64_t s = 0; s < row.states; ++s) now[s] = s < 2 ? 0 : impossible;
    else
      step_states(now - stride, -1, skips, now, static_cast<std::size_t>(row.states));
    row.emissions(t, emitted);
    add(emitted, row.states, now);
  }
}

template <class T>
double log_total(const Row<T>& row, const double* alphas, std::int64_t stride) {
  if (row.frames == 0) return row.states == 1 ? 0 : impossible;
  const double* const behind = alphas + (row.frames - 1) * stride + pads + row.states;
  return row.states == 1 ? behind[-1] : log_add(behind[-1], behind[-2]);
}

// y [T, V] holds softmax(logits) and becomes factor (softmax - occupancy): what share of the alignments, by probability, has
// class k at frame t.
template <class T>
void row_backward(const Row<T>& row, const double* alphas, std::int64_t stride, double total, double factor, T* y) {
  const std::int64_t states = row.states, labels = states / 2, padded = states + pads;
  Tensor room = states_room(5, states), sums = Tensor::zeros({row.classes}, f64);
  double *const skips = room.mutable_data<double>(), *const beta = skips + padded, *const next = beta + padded,
                *const emitted = next + padded, *const share = emitted + padded, *const occupancy = sums.mutable_data<double>();
  fill_skips(row, skips);
  const auto step_states = HWY_DYNAMIC_DISPATCH(StepStates);
  const auto exp_in_place = HWY_DYNAMIC_DISPATCH(ExpInPlace);
  // beta[s]: all ways from state s at frame t to the end, emissions of t not included.
  for (std::int64_t s = std::max<std::int64_t>(states - 2, 0); s < states; ++s) beta[s] = 0;
  for (std::int64_t t = row.frames - 1; t >= 0; --t) {
    const double* const alpha = alphas + t * stride + pads;
    T* const to = y + t * row.classes;
    row.emissions(t, emitted);
    for (std::int64_t s = 0; s < states; ++s) {
      share[s] = alpha[s] + beta[s] - total;
      next[s] = beta[s] + emitted[s];
    }
    exp_in_place(share, static_cast<std::size_t>(states));
    exp_in_place(emitted, static_cast<std::size_t>(states));
    for (std::int64_t k = 0; k < row.classes; ++k) to[k] *= static_cast<T>(factor);
    double blanks = share[2 * labels];
    for (std::int64_t i = 0; i < labels; ++i) {
      blanks += share[2 * i];
      occupancy[row.target[i]] += share[2 * i + 1];
    }
    to[row.blank] = static_cast<T>(factor * (emitted[0] - blanks));
    for (std::int64_t i = 0; i < labels; ++i)
      to[row.target[i]] = static_cast<T>(factor * (emitted[2 * i + 1] - occupancy[row.target[i]]));
    for (std::int64_t i = 0; i < labels; ++i) occupancy[row.target[i]] = 0;
    if (t > 0) step_states(next, 1, skips + 2, beta, static_cast<std::size_t>(states));
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
    row_backward(row, alphas, stride, total, factor, y);
  });
}

}  // namespace

AlignmentSums ctc_loss(const Tensor& logits, const Alignment& a) {
  AlignmentSums sums{Tensor::empty({logits.size(0)}, logits.dtype()), alignment::logsumexps_of(logits),
                     Tensor::empty({logits.size(0), logits.size(1), pads + 2 * a.targets.size(1) + 1}, f64)};
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
#endif
