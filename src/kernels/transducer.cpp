#include "kernels/transducer.hpp"

// T frames, L labels, V classes; `columns` is the lattice's width, of which a row uses L + 1.
namespace weft::kernels {
namespace {

using alignment::for_rows;
using alignment::impossible;
using alignment::log_add;

template <class T>
struct Lattice {
  const T* logits;             // [T, columns, V]
  const T* logsumexps;         // [T, columns]
  const std::int64_t* target;  // [L]
  std::int64_t frames, labels, columns, classes, blank;

  double log_prob(std::int64_t t, std::int64_t u, std::int64_t k) const {
    const std::int64_t node = t * columns + u;
    return static_cast<double>(logits[node * classes + k]) - static_cast<double>(logsumexps[node]);
  }
  double log_blank(std::int64_t t, std::int64_t u) const { return log_prob(t, u, blank); }
  double log_label(std::int64_t t, std::int64_t u) const { return log_prob(t, u, target[u]); }
};

template <class T>
Lattice<T> lattice_of(std::int64_t i, const Tensor& logits, const Tensor& logsumexps, const Alignment& a) {
  const std::int64_t nodes = logits.size(1) * logits.size(2), classes = logits.size(3);
  return {logits.data<T>() + i * nodes * classes,
          logsumexps.data<T>() + i * nodes,
          a.targets.data<std::int64_t>() + i * a.targets.size(1),
          a.input_lengths.data<std::int64_t>()[i],
          a.target_lengths.data<std::int64_t>()[i],
          logits.size(2),
          classes,
          a.blank};
}

// alpha[t, u]: all ways from the start to frame t with u labels behind.
template <class T>
void fill_alphas(const Lattice<T>& lattice, double* alphas) {
  for (std::int64_t t = 0; t < lattice.frames; ++t) {
    double* const now = alphas + t * lattice.columns;
    for (std::int64_t u = 0; u <= lattice.labels; ++u) {
      double sum = t == 0 && u == 0 ? 0 : impossible;
      if (t > 0) sum = now[u - lattice.columns] + lattice.log_blank(t - 1, u);
      if (u > 0) sum = log_add(sum, now[u - 1] + lattice.log_label(t, u - 1));
      now[u] = sum;
    }
  }
}

template <class T>
double log_total(const Lattice<T>& lattice, const double* alphas) {
  const std::int64_t t = lattice.frames - 1, u = lattice.labels;
  if (t < 0) return u == 0 ? 0 : impossible;
  return alphas[t * lattice.columns + u] + lattice.log_blank(t, u);
}

// y [T, columns, V] holds softmax(logits) and becomes factor (share of the node softmax - share of each class's step): shares
// of the ways, by probability. `beta`: room for L + 1, all ways from (t, u) to the end.
template <class T>
void lattice_backward(const Lattice<T>& lattice, const double* alphas, double total, double factor, double* beta, T* y) {
  for (std::int64_t t = lattice.frames - 1; t >= 0; --t) {
    for (std::int64_t u = lattice.labels; u >= 0; --u) {
      const std::int64_t node = t * lattice.columns + u;
      const bool last_frame = t == lattice.frames - 1, last_label = u == lattice.labels;
      const double log_blank = lattice.log_blank(t, u), before = alphas[node] - total;
      const double by_blank = log_blank + (!last_frame ? beta[u] : last_label ? 0 : impossible);
      const double by_label = last_label ? impossible : lattice.log_label(t, u) + beta[u + 1];
      beta[u] = log_add(by_blank, by_label);

      const double share = std::exp(before + beta[u]);
      const auto scale = static_cast<T>(factor * share);
      T* const to = y + node * lattice.classes;
      for (std::int64_t k = 0; k < lattice.classes; ++k) to[k] *= scale;
      to[lattice.blank] = static_cast<T>(factor * (share * std::exp(log_blank) - std::exp(before + by_blank)));
      if (!last_label)
        to[lattice.target[u]] =
            static_cast<T>(factor * (share * std::exp(lattice.log_label(t, u)) - std::exp(before + by_label)));
    }
  }
}

template <class T>
void forward(const Tensor& logits, const Alignment& a, AlignmentSums& sums) {
  const std::int64_t nodes = logits.size(1) * logits.size(2);
  double* const alphas = sums.alphas.mutable_data<double>();
  T* const losses = sums.losses.mutable_data<T>();
  for_rows(logits.size(0), nodes, [&](std::int64_t i) {
    const Lattice<T> lattice = lattice_of<T>(i, logits, sums.logsumexps, a);
    fill_alphas(lattice, alphas + i * nodes);
    losses[i] = static_cast<T>(alignment::loss_of(log_total(lattice, alphas + i * nodes), a.zero_infinity));
  });
}

template <class T>
void backward(const Tensor& logits, const Alignment& a, const AlignmentSums& sums, const Tensor& factors, Tensor& result) {
  const std::int64_t columns = logits.size(2), nodes = logits.size(1) * columns, classes = logits.size(3);
  T* const gradients = result.mutable_data<T>();
  for_rows(logits.size(0), nodes, [&](std::int64_t i) {
    const Lattice<T> lattice = lattice_of<T>(i, logits, sums.logsumexps, a);
    const double* const alphas = sums.alphas.data<double>() + i * nodes;
    const auto factor = static_cast<double>(factors.data<T>()[i]);
    const double total = log_total(lattice, alphas);
    T* const y = gradients + i * nodes * classes;
    if (!alignment::settle_gradient(y, lattice.frames * columns * classes, nodes * classes, factor, total, a.zero_infinity)) {
      Tensor beta = Tensor::empty({lattice.labels + 1}, f64);
      lattice_backward(lattice, alphas, total, factor, beta.mutable_data<double>(), y);
    }
    for (std::int64_t t = 0; t < lattice.frames; ++t)
      std::fill(y + (t * columns + lattice.labels + 1) * classes, y + (t + 1) * columns * classes, T{0});
  });
}

}  // namespace

AlignmentSums transducer_loss(const Tensor& logits, const Alignment& a) {
  AlignmentSums sums{Tensor::empty({logits.size(0)}, logits.dtype()), alignment::logsumexps_of(logits),
                     Tensor::empty({logits.size(0), logits.size(1), logits.size(2)}, f64)};
  logits.dtype() == f32 ? forward<float>(logits, a, sums) : forward<double>(logits, a, sums);
  return sums;
}

Tensor transducer_loss_backward(const Tensor& logits, const Alignment& a, const AlignmentSums& sums, const Tensor& factors) {
  Tensor result = alignment::probabilities(logits, sums.logsumexps);
  logits.dtype() == f32 ? backward<float>(logits, a, sums, factors, result)
                        : backward<double>(logits, a, sums, factors, result);
  return result;
}

}  // namespace weft::kernels
