#include "kernels/lstm.hpp"

#include "kernels/elementwise.hpp"
#include "kernels/lstm_cell.hpp"
#include "kernels/matmul.hpp"

namespace weft::kernels {
namespace {

template <class T>
void run_steps(LstmRun& run, const Tensor& w_hh) {
  LstmTrace& trace = run.trace;
  const std::int64_t steps = trace.steps(), rows = trace.rows(), units = trace.units();
  const Tensor recurrent = w_hh.transpose(0, 1);
  for (std::int64_t s = 0; s < steps; ++s) {
    const std::int64_t t = trace.time(s), before = trace.before(t), after = trace.after(t);
    Tensor gates = trace.gates.select(0, t);
    matmul_into(gates, trace.hidden.select(0, before), recurrent, true);
    lstm_cell(LstmCellForward<T>{{rows, units, row_of<T>(trace.hidden, before), row_of<T>(trace.hidden, after),
                                  run.output.mutable_data<T>() + t * units, steps * units, trace.flags(t)},
                                 row_of<T>(trace.gates, t),
                                 4 * units,
                                 row_of<T>(trace.cells, before),
                                 row_of<T>(trace.cells, after)});
  }
}

template <class T>
void run_back(const LstmTrace& trace, const Tensor& w_hh, const Tensor& d_output, LstmGradients& result) {
  const std::int64_t steps = trace.steps(), rows = trace.rows(), units = trace.units();
  for (std::int64_t s = steps - 1; s >= 0; --s) {
    const std::int64_t t = trace.time(s);
    const bool rests = trace.any_rests(t);
    lstm_cell_backward(LstmCellBackward<T>{
        {rows, units, result.h0.mutable_data<T>(), d_output.defined() ? d_output.data<T>() + t * units : nullptr, steps * units,
         trace.flags(t), rests},
        row_of<T>(trace.gates, t),
        row_of<T>(trace.cells, trace.before(t)),
        row_of<T>(trace.cells, trace.after(t)),
        result.c0.mutable_data<T>(),
        row_of<T>(result.gates, t)});
    matmul_into(result.h0, result.gates.select(0, t), w_hh, rests);
  }
}

}  // namespace

LstmRun lstm(const Tensor& x, const Tensor& w_ih, const Tensor& w_hh, const Tensor& bias, const Tensor& h0, const Tensor& c0,
             const Tensor& lengths, bool reverse) {
  LstmRun run;
  LstmTrace& trace = run.trace;
  begin(trace, x, h0, lengths, reverse);
  trace.gates = linear(trace.input_rows(), w_ih, bias).reshape({trace.steps(), trace.rows(), w_ih.size(0)});
  trace.cells = states_from(trace, c0);
  run.output = Tensor::empty({trace.rows(), trace.steps(), trace.units()}, x.dtype());
  by_dtype(x.dtype(), [&]<class T>() { run_steps<T>(run, w_hh); });
  run.h = trace.last(trace.hidden).clone();
  run.c = trace.last(trace.cells).clone();
  return run;
}

LstmGradients lstm_backward(const LstmTrace& trace, const Tensor& w_hh, const Tensor& d_output, const Tensor& d_h,
                            const Tensor& d_c) {
  const Shape state{trace.rows(), trace.units()};
  LstmGradients result;
  result.gates = trace.gates.empty_like();
  result.h0 = copy_or_zeros(d_h, state, w_hh.dtype());
  result.c0 = copy_or_zeros(d_c, state, w_hh.dtype());
  const Tensor output = d_output.defined() ? dense(d_output) : Tensor();
  by_dtype(w_hh.dtype(), [&]<class T>() { run_back<T>(trace, w_hh, output, result); });
  return result;
}

LstmStep lstm_step(Tensor& gates, const Tensor& h, const Tensor& c, const Tensor& active) {
  LstmStep result{c.empty_like(), c.empty_like()};
  const Tensor h_before = dense(h), c_before = dense(c), flags = active.defined() ? dense(active) : Tensor();
  by_dtype(c.dtype(), [&]<class T>() {
    lstm_cell(LstmCellForward<T>{{c.size(0), c.size(1), h_before.data<T>(), result.h.mutable_data<T>(), nullptr, 0,
                                  flags.defined() ? flags.data<bool>() : nullptr},
                                 gates.mutable_data<T>(),
                                 gates.size(1),
                                 c_before.data<T>(),
                                 result.c.mutable_data<T>()});
  });
  return result;
}

LstmStepGradients lstm_step_backward(const Tensor& gates, const Tensor& c_before, const Tensor& c, const Tensor& dh,
                                     const Tensor& dc, const Tensor& active) {
  LstmStepGradients result{gates.empty_like(), dh.clone(), dc.clone()};
  const Tensor before = dense(c_before), flags = active.defined() ? dense(active) : Tensor();
  by_dtype(c.dtype(), [&]<class T>() {
    lstm_cell_backward(LstmCellBackward<T>{{c.size(0), c.size(1), result.h.mutable_data<T>(), nullptr, 0,
                                            flags.defined() ? flags.data<bool>() : nullptr, flags.defined()},
                                           gates.data<T>(),
                                           before.data<T>(),
                                           c.data<T>(),
                                           result.c.mutable_data<T>(),
                                           result.gates.mutable_data<T>()});
  });
  if (!active.defined()) result.h = Tensor();
  return result;
}

}  // namespace weft::kernels
