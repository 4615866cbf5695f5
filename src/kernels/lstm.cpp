#include "kernels/lstm.hpp"

#include "kernels/elementwise.hpp"
#include "kernels/lstm_cell.hpp"
#include "kernels/matmul.hpp"
#include "kernels/parallel.hpp"

namespace weft::kernels {
namespace {

template <class Function>
void by_dtype(DType dtype, Function&& function) {
  dtype == f32 ? function.template operator()<float>() : function.template operator()<double>();
}

// active[t, b] = t < lengths[b]; undefined where every row reaches `steps`.
Tensor active_rows(const Tensor& lengths, std::int64_t steps) {
  if (!lengths.defined()) return {};
  const std::int64_t rows = lengths.numel();
  const std::int64_t* length = lengths.data<std::int64_t>();
  bool all = true;
  for (std::int64_t b = 0; b < rows; ++b) all = all && length[b] == steps;
  if (all) return {};
  Tensor active = Tensor::empty({steps, rows}, boolean);
  bool* flags = active.mutable_data<bool>();
  for (std::int64_t t = 0; t < steps; ++t)
    for (std::int64_t b = 0; b < rows; ++b) flags[t * rows + b] = t < length[b];
  return active;
}

// [B, T, I] -> [T, B, I]; what stands behind a row's end is replaced by zeros, whatever it is.
Tensor time_major(const Tensor& x, const Tensor& active) {
  const std::int64_t rows = x.size(0), steps = x.size(1), width = x.size(2);
  Tensor result = Tensor::empty({steps, rows, width}, x.dtype());
  if (!active.defined()) {
    copy_into(x.transpose(0, 1), result);
    return result;
  }
  by_dtype(x.dtype(), [&]<class T>() {
    const T* from = x.data<T>();
    T* to = result.mutable_data<T>();
    const bool* flags = active.data<bool>();
    const std::int64_t row = x.stride(0), step = x.stride(1), column = x.stride(2);
    parallel_chunks(steps * rows, rows_per_chunk(width), [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = begin; i < end; ++i) {
        const T* source = from + i % rows * row + i / rows * step;
        for (std::int64_t j = 0; j < width; ++j) to[i * width + j] = flags[i] ? source[j * column] : T{0};
      }
    });
  });
  return result;
}

// Row t of a dense [T, ...] tensor as raw elements; null for an undefined tensor.
template <class T>
T* row_of(Tensor& x, std::int64_t t) {
  return x.mutable_data<T>() + t * (x.numel() / std::max<std::int64_t>(x.size(0), 1));
}

const bool* flags_of(const Tensor& active, std::int64_t t) {
  return active.defined() ? active.data<bool>() + t * active.size(1) : nullptr;
}

bool any_ended(const Tensor& active, std::int64_t t) {
  if (!active.defined()) return false;
  const bool* flags = flags_of(active, t);
  return std::find(flags, flags + active.size(1), false) != flags + active.size(1);
}

template <class T>
void run_steps(LstmRun& run, const Tensor& w_hh) {
  LstmTrace& trace = run.trace;
  const std::int64_t steps = trace.gates.size(0), rows = trace.gates.size(1), hidden = trace.hidden.size(2);
  const Tensor recurrent = w_hh.transpose(0, 1);
  for (std::int64_t s = 0; s < steps; ++s) {
    const std::int64_t t = trace.reverse ? steps - 1 - s : s;
    const std::int64_t before = trace.reverse ? t + 1 : t, after = trace.reverse ? t : t + 1;
    Tensor gates = trace.gates.select(0, t);
    matmul_into(gates, trace.hidden.select(0, before), recurrent, true);
    lstm_cell(CellForward<T>{rows, hidden, row_of<T>(trace.gates, t), 4 * hidden, row_of<T>(trace.cells, before),
                             row_of<T>(trace.hidden, before), row_of<T>(trace.cells, after), row_of<T>(trace.hidden, after),
                             run.output.mutable_data<T>() + t * hidden, steps * hidden, flags_of(trace.active, t)});
  }
}

template <class T>
void run_back(const LstmTrace& trace, const Tensor& w_hh, const Tensor& d_output, LstmGradients& result) {
  const std::int64_t steps = trace.gates.size(0), rows = trace.gates.size(1), hidden = trace.hidden.size(2);
  for (std::int64_t s = steps - 1; s >= 0; --s) {
    const std::int64_t t = trace.reverse ? steps - 1 - s : s;
    const std::int64_t before = trace.reverse ? t + 1 : t, after = trace.reverse ? t : t + 1;
    const bool ended = any_ended(trace.active, t);
    lstm_cell_backward(CellBackward<T>{
        rows, hidden, trace.gates.data<T>() + t * rows * 4 * hidden, trace.cells.data<T>() + before * rows * hidden,
        trace.cells.data<T>() + after * rows * hidden, result.h0.mutable_data<T>(), result.c0.mutable_data<T>(),
        d_output.defined() ? d_output.data<T>() + t * hidden : nullptr, steps * hidden, row_of<T>(result.gates, t),
        flags_of(trace.active, t), ended});
    matmul_into(result.h0, result.gates.select(0, t), w_hh, ended);
  }
}

Tensor copy_or_zeros(const Tensor& x, const Shape& shape, DType dtype) {
  return x.defined() ? x.clone() : Tensor::zeros(shape, dtype);
}

}  // namespace

LstmRun lstm(const Tensor& x, const Tensor& w_ih, const Tensor& w_hh, const Tensor& bias, const Tensor& h0, const Tensor& c0,
             const Tensor& lengths, bool reverse) {
  const std::int64_t rows = x.size(0), steps = x.size(1), hidden = w_hh.size(1);
  LstmRun run;
  LstmTrace& trace = run.trace;
  trace.reverse = reverse;
  trace.active = active_rows(lengths, steps);
  trace.input = time_major(x, trace.active);
  trace.gates = linear(trace.input.reshape({steps * rows, x.size(2)}), w_ih, bias).reshape({steps, rows, 4 * hidden});
  trace.cells = Tensor::empty({steps + 1, rows, hidden}, x.dtype());
  trace.hidden = trace.cells.empty_like();
  const std::int64_t first = reverse ? steps : 0, last = reverse ? 0 : steps;
  copy_into(h0, trace.hidden.select(0, first));
  copy_into(c0, trace.cells.select(0, first));
  run.output = Tensor::empty({rows, steps, hidden}, x.dtype());
  by_dtype(x.dtype(), [&]<class T>() { run_steps<T>(run, w_hh); });
  run.h = trace.hidden.select(0, last).clone();
  run.c = trace.cells.select(0, last).clone();
  return run;
}

LstmGradients lstm_backward(const LstmTrace& trace, const Tensor& w_hh, const Tensor& d_output, const Tensor& d_h,
                            const Tensor& d_c) {
  const Shape state{trace.hidden.size(1), trace.hidden.size(2)};
  LstmGradients result;
  result.gates = trace.gates.empty_like();
  result.h0 = copy_or_zeros(d_h, state, w_hh.dtype());
  result.c0 = copy_or_zeros(d_c, state, w_hh.dtype());
  const Tensor output = d_output.defined() ? dense(d_output) : Tensor();
  by_dtype(w_hh.dtype(), [&]<class T>() { run_back<T>(trace, w_hh, output, result); });
  return result;
}

Tensor states_before(const LstmTrace& trace, const Tensor& states) {
  const std::int64_t steps = trace.gates.size(0);
  return trace.reverse ? states.slice(0, 1, steps + 1) : states.slice(0, 0, steps);
}

LstmStep lstm_step(Tensor& gates, const Tensor& h, const Tensor& c, const Tensor& active) {
  LstmStep result{c.empty_like(), c.empty_like()};
  const Tensor h_before = dense(h), c_before = dense(c), flags = active.defined() ? dense(active) : Tensor();
  by_dtype(c.dtype(), [&]<class T>() {
    lstm_cell(CellForward<T>{c.size(0), c.size(1), gates.mutable_data<T>(), gates.size(1), c_before.data<T>(),
                             h_before.data<T>(), result.c.mutable_data<T>(), result.h.mutable_data<T>(), nullptr, 0,
                             flags.defined() ? flags.data<bool>() : nullptr});
  });
  return result;
}

LstmStepGradients lstm_step_backward(const Tensor& gates, const Tensor& c_before, const Tensor& c, const Tensor& dh,
                                     const Tensor& dc, const Tensor& active) {
  LstmStepGradients result{gates.empty_like(), dh.clone(), dc.clone()};
  const Tensor before = dense(c_before), flags = active.defined() ? dense(active) : Tensor();
  by_dtype(c.dtype(), [&]<class T>() {
    lstm_cell_backward(CellBackward<T>{c.size(0), c.size(1), gates.data<T>(), before.data<T>(), c.data<T>(),
                                       result.h.mutable_data<T>(), result.c.mutable_data<T>(), nullptr, 0,
                                       result.gates.mutable_data<T>(), flags.defined() ? flags.data<bool>() : nullptr,
                                       flags.defined()});
  });
  if (!active.defined()) result.h = Tensor();
  return result;
}

}  // namespace weft::kernels
