#include <algorithm>
#include <cmath>

#include "kernels/lstm.hpp"

// Row by row and step by step, sums in f64: what lstm and lstm_backward compute, as one would write it down.
namespace weft::kernels::reference {
namespace {

template <class Function>
void by_dtype(DType dtype, Function&& function) {
  dtype == f32 ? function.template operator()<float>() : function.template operator()<double>();
}

// Where step t finds the state before it and leaves the one after it.
struct Places {
  std::int64_t before, after;
};
Places places(std::int64_t t, bool reverse) { return reverse ? Places{t + 1, t} : Places{t, t + 1}; }

bool is_active(const LstmTrace& trace, std::int64_t t, std::int64_t b) {
  return !trace.active.defined() || trace.active.data<bool>()[t * trace.gates.size(1) + b];
}

double sigmoid(double x) { return 1 / (1 + std::exp(-x)); }

template <class T>
double dot(const T* a, const T* b, std::int64_t n) {
  double sum = 0;
  for (std::int64_t i = 0; i < n; ++i) sum += static_cast<double>(a[i]) * static_cast<double>(b[i]);
  return sum;
}

template <class T>
void step(LstmRun& run, const Tensor& w_ih, const Tensor& w_hh, const Tensor& bias, std::int64_t b, std::int64_t t) {
  LstmTrace& trace = run.trace;
  const std::int64_t steps = trace.gates.size(0), rows = trace.gates.size(1), n = w_hh.size(1), in = w_ih.size(1);
  const auto [before, after] = places(t, trace.reverse);
  T *h = trace.hidden.mutable_data<T>(), *c = trace.cells.mutable_data<T>();
  const T *h_before = h + (before * rows + b) * n, *c_before = c + (before * rows + b) * n;
  T *h_after = h + (after * rows + b) * n, *c_after = c + (after * rows + b) * n;
  if (!is_active(trace, t, b)) {
    std::copy_n(h_before, n, h_after);
    std::copy_n(c_before, n, c_after);
    return;
  }
  const T* x = trace.input.data<T>() + (t * rows + b) * in;
  T* gates = trace.gates.mutable_data<T>() + (t * rows + b) * 4 * n;
  for (std::int64_t k = 0; k < 4 * n; ++k) {
    const double sum = (bias.defined() ? static_cast<double>(bias.data<T>()[k]) : 0) + dot(w_ih.data<T>() + k * in, x, in) +
                       dot(w_hh.data<T>() + k * n, h_before, n);
    gates[k] = static_cast<T>(k / n == 2 ? std::tanh(sum) : sigmoid(sum));
  }
  T* output = run.output.mutable_data<T>() + (b * steps + t) * n;
  for (std::int64_t j = 0; j < n; ++j) {
    c_after[j] = gates[n + j] * c_before[j] + gates[j] * gates[2 * n + j];
    output[j] = h_after[j] = gates[3 * n + j] * std::tanh(c_after[j]);
  }
}

template <class T>
void step_back(const LstmTrace& trace, const Tensor& w_hh, const Tensor& d_output, LstmGradients& result, std::int64_t b,
               std::int64_t t) {
  if (!is_active(trace, t, b)) return;
  const std::int64_t steps = trace.gates.size(0), rows = trace.gates.size(1), n = w_hh.size(1);
  const auto [before, after] = places(t, trace.reverse);
  const T* gates = trace.gates.data<T>() + (t * rows + b) * 4 * n;
  const T *c_before = trace.cells.data<T>() + (before * rows + b) * n, *c = trace.cells.data<T>() + (after * rows + b) * n;
  T *dh = result.h0.mutable_data<T>() + b * n, *dc = result.c0.mutable_data<T>() + b * n;
  T* d_gates = result.gates.mutable_data<T>() + (t * rows + b) * 4 * n;
  for (std::int64_t j = 0; j < n; ++j) {
    const double i = gates[j], f = gates[n + j], g = gates[2 * n + j], o = gates[3 * n + j], y = std::tanh(c[j]);
    const double d = dh[j] + (d_output.defined() ? d_output.data<T>()[(b * steps + t) * n + j] : T{0});
    const double cell = dc[j] + d * o * (1 - y * y);
    d_gates[j] = static_cast<T>(cell * g * i * (1 - i));
    d_gates[n + j] = static_cast<T>(cell * c_before[j] * f * (1 - f));
    d_gates[2 * n + j] = static_cast<T>(cell * i * (1 - g * g));
    d_gates[3 * n + j] = static_cast<T>(d * y * o * (1 - o));
    dc[j] = static_cast<T>(cell * f);
  }
  for (std::int64_t j = 0; j < n; ++j) {
    double sum = 0;
    for (std::int64_t k = 0; k < 4 * n; ++k) sum += static_cast<double>(d_gates[k]) * w_hh.data<T>()[k * n + j];
    dh[j] = static_cast<T>(sum);
  }
}

}  // namespace

LstmRun lstm(const Tensor& x, const Tensor& w_ih, const Tensor& w_hh, const Tensor& bias, const Tensor& h0, const Tensor& c0,
             const Tensor& lengths, bool reverse) {
  const std::int64_t rows = x.size(0), steps = x.size(1), n = w_hh.size(1), last = reverse ? 0 : steps;
  LstmRun run;
  LstmTrace& trace = run.trace;
  trace.reverse = reverse;
  trace.input = Tensor::zeros({steps, rows, x.size(2)}, x.dtype());
  trace.gates = Tensor::zeros({steps, rows, 4 * n}, x.dtype());
  trace.cells = Tensor::zeros({steps + 1, rows, n}, x.dtype());
  trace.hidden = trace.cells.clone();
  trace.hidden.select(0, steps - last).copy_from(h0);
  trace.cells.select(0, steps - last).copy_from(c0);
  run.output = Tensor::zeros({rows, steps, n}, x.dtype());
  if (lengths.defined()) trace.active = Tensor::zeros({steps, rows}, boolean);
  for (std::int64_t b = 0; b < rows; ++b) {
    const std::int64_t length = lengths.defined() ? lengths.data<std::int64_t>()[b] : steps;
    trace.input.select(1, b).slice(0, 0, length).copy_from(x.select(0, b).slice(0, 0, length));
    if (lengths.defined()) trace.active.select(1, b).slice(0, 0, length).fill(1);
  }
  const Tensor input_weight = w_ih.contiguous(), recurrent = w_hh.contiguous(),
               added = bias.defined() ? bias.contiguous() : bias;
  by_dtype(x.dtype(), [&]<class T>() {
    for (std::int64_t s = 0; s < steps; ++s)
      for (std::int64_t b = 0; b < rows; ++b) step<T>(run, input_weight, recurrent, added, b, reverse ? steps - 1 - s : s);
  });
  run.h = trace.hidden.select(0, last).clone();
  run.c = trace.cells.select(0, last).clone();
  return run;
}

LstmGradients lstm_backward(const LstmTrace& trace, const Tensor& w_hh, const Tensor& d_output, const Tensor& d_h,
                            const Tensor& d_c) {
  const std::int64_t steps = trace.gates.size(0), rows = trace.gates.size(1);
  const Tensor zeros = Tensor::zeros({rows, w_hh.size(1)}, w_hh.dtype());
  LstmGradients result{Tensor::zeros(trace.gates.shape(), w_hh.dtype()), (d_h.defined() ? d_h : zeros).clone(),
                       (d_c.defined() ? d_c : zeros).clone()};
  const Tensor recurrent = w_hh.contiguous(), output = d_output.defined() ? d_output.contiguous() : d_output;
  by_dtype(w_hh.dtype(), [&]<class T>() {
    for (std::int64_t s = steps - 1; s >= 0; --s)
      for (std::int64_t b = 0; b < rows; ++b)
        step_back<T>(trace, recurrent, output, result, b, trace.reverse ? steps - 1 - s : s);
  });
  return result;
}

}  // namespace weft::kernels::reference
