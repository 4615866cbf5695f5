#include "kernels/lstm.hpp"

#include "kernels/elementwise.hpp"
#include "kernels/lstm_cell.hpp"
#include "kernels/matmul.hpp"
#include "kernels/repeated_matmul.hpp"

namespace weft::kernels {
namespace {

template <class T>
void run_steps(LstmRun& run, const Tensor& w_hh) {
  LstmTrace& trace = run.trace;
  const Packing& packing = trace.packing;
  const std::int64_t steps = trace.steps(), units = trace.units();
  const Tensor recurrent = w_hh.transpose(0, 1);
  T *hidden = trace.hidden.mutable_data<T>(), *cells = trace.cells.mutable_data<T>(), *output = run.output.mutable_data<T>();
  for (std::int64_t s = 0; s < steps; ++s) {
    const std::int64_t t = trace.time(s), start = packing.start(t);
    Tensor gates = packing.step(trace.gates, t);
    repeated_matmul_into(gates, packing.step(trace.hidden, t), recurrent, true);
    lstm_cell(LstmCellForward<T>{{packing.rows(t), units, hidden + start * units, trace.after(hidden, t), output + t * units,
                                  steps * units, packing.order(), nullptr},
                                 row_of<T>(trace.gates, start),
                                 4 * units,
                                 cells + start * units,
                                 trace.after(cells, t)});
  }
}

template <class T>
void run_back(const LstmTrace& trace, const Tensor& w_hh, const Tensor& d_output, LstmGradients& result) {
  const Packing& packing = trace.packing;
  const std::int64_t steps = trace.steps(), units = trace.units();
  for (std::int64_t s = steps - 1; s >= 0; --s) {
    const std::int64_t t = trace.time(s), start = packing.start(t);
    lstm_cell_backward(LstmCellBackward<T>{
        {packing.rows(t), units, result.h0.mutable_data<T>(), d_output.defined() ? d_output.data<T>() + t * units : nullptr,
         steps * units, packing.order(), nullptr, false},
        row_of<T>(trace.gates, start),
        row_of<T>(trace.cells, start),
        trace.after(trace.cells.data<T>(), t),
        result.c0.mutable_data<T>(),
        row_of<T>(result.gates, start)});
    Tensor dh = result.h0.slice(0, 0, packing.rows(t));
    repeated_matmul_into(dh, packing.step(result.gates, t), w_hh, false);
  }
}

}  // namespace

LstmRun lstm(const Tensor& x, const Tensor& w_ih, const Tensor& w_hh, const Tensor& bias, const Tensor& h0, const Tensor& c0,
             const Tensor& lengths, bool reverse) {
  LstmRun run;
  LstmTrace& trace = run.trace;
  begin(trace, x, h0, lengths, reverse);
  trace.gates = linear(trace.input, w_ih, bias);
  trace.cells = states_from(trace, c0);
  run.output = empty_output(trace);
  by_dtype(x.dtype(), [&]<class T>() { run_steps<T>(run, w_hh); });
  run.h = trace.last(trace.hidden);
  run.c = trace.last(trace.cells);
  return run;
}

LstmGradients lstm_backward(const LstmTrace& trace, const Tensor& w_hh, const Tensor& d_output, const Tensor& d_h,
                            const Tensor& d_c) {
  const DType dtype = w_hh.dtype();
  LstmGradients result{trace.gates.empty_like(), sorted_or_zeros(trace, d_h, dtype), sorted_or_zeros(trace, d_c, dtype)};
  const Tensor output = d_output.defined() ? dense(d_output) : Tensor();
  by_dtype(dtype, [&]<class T>() { run_back<T>(trace, w_hh, output, result); });
  result.h0 = trace.packing.unsort(result.h0);
  result.c0 = trace.packing.unsort(result.c0);
  return result;
}

LstmStep lstm_step(Tensor& gates, const Tensor& h, const Tensor& c, const Tensor& active) {
  LstmStep result{c.empty_like(), c.empty_like()};
  const Tensor h_before = dense(h), c_before = dense(c), flags = active.defined() ? dense(active) : Tensor();
  by_dtype(c.dtype(), [&]<class T>() {
    lstm_cell(LstmCellForward<T>{{c.size(0), c.size(1), h_before.data<T>(), block_of(result.h.mutable_data<T>(), c.size(0)),
                                  nullptr, 0, nullptr, flags.defined() ? flags.data<bool>() : nullptr},
                                 gates.mutable_data<T>(),
                                 gates.size(1),
                                 c_before.data<T>(),
                                 block_of(result.c.mutable_data<T>(), c.size(0))});
  });
  return result;
}

LstmStepGradients lstm_step_backward(const Tensor& gates, const Tensor& c_before, const Tensor& c, const Tensor& dh,
                                     const Tensor& dc, const Tensor& active) {
  LstmStepGradients result{gates.empty_like(), dh.clone(), dc.clone()};
  const Tensor before = dense(c_before), flags = active.defined() ? dense(active) : Tensor();
  by_dtype(c.dtype(), [&]<class T>() {
    lstm_cell_backward(LstmCellBackward<T>{{c.size(0), c.size(1), result.h.mutable_data<T>(), nullptr, 0, nullptr,
                                            flags.defined() ? flags.data<bool>() : nullptr, flags.defined()},
                                           gates.data<T>(),
                                           before.data<T>(),
                                           block_of(c.data<T>(), c.size(0)),
                                           result.c.mutable_data<T>(),
                                           result.gates.mutable_data<T>()});
  });
  if (!active.defined()) result.h = Tensor();
  return result;
}

}  // namespace weft::kernels
