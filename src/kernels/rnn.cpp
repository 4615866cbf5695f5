#include "kernels/rnn.hpp"

#include "kernels/elementwise.hpp"
#include "kernels/matmul.hpp"
#include "kernels/rnn_cell.hpp"

namespace weft::kernels {
namespace {

template <class T>
void run_steps(RnnRun& run, const Tensor& w_hh, bool relu) {
  RecurrentTrace& trace = run.trace;
  const std::int64_t steps = trace.steps(), rows = trace.rows(), units = trace.units();
  const Tensor recurrent = w_hh.transpose(0, 1);
  for (std::int64_t s = 0; s < steps; ++s) {
    const std::int64_t t = trace.time(s), before = trace.before(t), after = trace.after(t);
    Tensor h = trace.hidden.select(0, after);
    matmul_into(h, trace.hidden.select(0, before), recurrent, true);
    rnn_cell(RnnCellForward<T>{{rows, units, row_of<T>(trace.hidden, before), row_of<T>(trace.hidden, after),
                                run.output.mutable_data<T>() + t * units, steps * units, trace.flags(t)},
                               relu});
  }
}

template <class T>
void run_back(const RecurrentTrace& trace, const Tensor& w_hh, const Tensor& d_output, bool relu, RnnGradients& result) {
  const std::int64_t steps = trace.steps(), rows = trace.rows(), units = trace.units();
  for (std::int64_t s = steps - 1; s >= 0; --s) {
    const std::int64_t t = trace.time(s);
    const bool rests = trace.any_rests(t);
    rnn_cell_backward(RnnCellBackward<T>{
        {rows, units, result.h0.mutable_data<T>(), d_output.defined() ? d_output.data<T>() + t * units : nullptr, steps * units,
         trace.flags(t), rests},
        row_of<T>(trace.hidden, trace.after(t)),
        row_of<T>(result.gates, t),
        relu});
    matmul_into(result.h0, result.gates.select(0, t), w_hh, rests);
  }
}

}  // namespace

RnnRun rnn(const Tensor& x, const Tensor& w_ih, const Tensor& w_hh, const Tensor& bias, const Tensor& h0, const Tensor& lengths,
           bool reverse, bool relu) {
  RnnRun run;
  RecurrentTrace& trace = run.trace;
  begin(trace, x, h0, lengths, reverse);
  // The pre-activations stand where the states will.
  Tensor projected = trace.states_after(trace.hidden).reshape({trace.steps() * trace.rows(), trace.units()});
  if (bias.defined()) copy_into(bias, projected);
  matmul_into(projected, trace.input_rows(), w_ih.transpose(0, 1), bias.defined());
  run.output = Tensor::empty({trace.rows(), trace.steps(), trace.units()}, x.dtype());
  by_dtype(x.dtype(), [&]<class T>() { run_steps<T>(run, w_hh, relu); });
  run.h = trace.last(trace.hidden).clone();
  return run;
}

RnnGradients rnn_backward(const RecurrentTrace& trace, const Tensor& w_hh, const Tensor& d_output, const Tensor& d_h,
                          bool relu) {
  RnnGradients result{Tensor::empty({trace.steps(), trace.rows(), trace.units()}, w_hh.dtype()),
                      copy_or_zeros(d_h, {trace.rows(), trace.units()}, w_hh.dtype())};
  const Tensor output = d_output.defined() ? dense(d_output) : Tensor();
  by_dtype(w_hh.dtype(), [&]<class T>() { run_back<T>(trace, w_hh, output, relu, result); });
  return result;
}

void rnn_step(Tensor& h, const Tensor& h_before, const Tensor& active, bool relu) {
  const Tensor before = dense(h_before), flags = active.defined() ? dense(active) : Tensor();
  by_dtype(h.dtype(), [&]<class T>() {
    rnn_cell(RnnCellForward<T>{{h.size(0), h.size(1), before.data<T>(), h.mutable_data<T>(), nullptr, 0,
                                flags.defined() ? flags.data<bool>() : nullptr},
                               relu});
  });
}

RnnGradients rnn_step_backward(const Tensor& h, const Tensor& w_hh, const Tensor& dh, const Tensor& active, bool relu) {
  RnnGradients result{h.empty_like(), dh.clone()};
  const Tensor flags = active.defined() ? dense(active) : Tensor();
  by_dtype(h.dtype(), [&]<class T>() {
    rnn_cell_backward(RnnCellBackward<T>{{h.size(0), h.size(1), result.h0.mutable_data<T>(), nullptr, 0,
                                          flags.defined() ? flags.data<bool>() : nullptr, flags.defined()},
                                         h.data<T>(),
                                         result.gates.mutable_data<T>(),
                                         relu});
  });
  matmul_into(result.h0, result.gates, w_hh, flags.defined());
  return result;
}

}  // namespace weft::kernels
