#include "kernels/rnn.hpp"

#include <utility>

#include "kernels/elementwise.hpp"
#include "kernels/matmul.hpp"
#include "kernels/repeated_matmul.hpp"
#include "kernels/rnn_cell.hpp"

namespace weft::kernels {
namespace {

template <class T>
void run_steps(RnnRun& run, Tensor& gates, const Tensor& w_hh, bool relu) {
  RecurrentTrace& trace = run.trace;
  const Packing& packing = trace.packing;
  const std::int64_t steps = trace.steps(), units = trace.units();
  const Tensor recurrent = w_hh.transpose(0, 1);
  T *hidden = trace.hidden.mutable_data<T>(), *output = run.output.mutable_data<T>();
  for (std::int64_t s = 0; s < steps; ++s) {
    const std::int64_t t = trace.time(s), start = packing.start(t);
    Tensor sums = packing.step(gates, t);
    repeated_matmul_into(sums, packing.step(trace.hidden, t), recurrent, true);
    rnn_cell(RnnCellForward<T>{{packing.rows(t), units, hidden + start * units, trace.after(hidden, t), output + t * units,
                                steps * units, packing.order(), nullptr},
                               row_of<T>(std::as_const(gates), start),
                               relu});
  }
}

template <class T>
void run_back(const RecurrentTrace& trace, const Tensor& w_hh, const Tensor& d_output, bool relu, RnnGradients& result) {
  const Packing& packing = trace.packing;
  const std::int64_t steps = trace.steps(), units = trace.units();
  for (std::int64_t s = steps - 1; s >= 0; --s) {
    const std::int64_t t = trace.time(s);
    rnn_cell_backward(RnnCellBackward<T>{
        {packing.rows(t), units, result.h0.mutable_data<T>(), d_output.defined() ? d_output.data<T>() + t * units : nullptr,
         steps * units, packing.order(), nullptr, false},
        trace.after(trace.hidden.data<T>(), t),
        row_of<T>(result.gates, packing.start(t)),
        relu});
    Tensor dh = result.h0.slice(0, 0, packing.rows(t));
    repeated_matmul_into(dh, packing.step(result.gates, t), w_hh, false);
  }
}

}  // namespace

RnnRun rnn(const Tensor& x, const Tensor& w_ih, const Tensor& w_hh, const Tensor& bias, const Tensor& h0, const Tensor& lengths,
           bool reverse, bool relu) {
  RnnRun run;
  RecurrentTrace& trace = run.trace;
  begin(trace, x, h0, lengths, reverse);
  Tensor gates = linear(trace.input, w_ih, bias);
  run.output = empty_output(trace);
  by_dtype(x.dtype(), [&]<class T>() { run_steps<T>(run, gates, w_hh, relu); });
  run.h = trace.last(trace.hidden);
  return run;
}

RnnGradients rnn_backward(const RecurrentTrace& trace, const Tensor& w_hh, const Tensor& d_output, const Tensor& d_h,
                          bool relu) {
  RnnGradients result{Tensor::empty({trace.packing.total(), trace.units()}, w_hh.dtype()),
                      sorted_or_zeros(trace, d_h, w_hh.dtype())};
  const Tensor output = d_output.defined() ? dense(d_output) : Tensor();
  by_dtype(w_hh.dtype(), [&]<class T>() { run_back<T>(trace, w_hh, output, relu, result); });
  result.h0 = trace.packing.unsort(result.h0);
  return result;
}

void rnn_step(Tensor& h, const Tensor& h_before, const Tensor& active, bool relu) {
  const Tensor before = dense(h_before), flags = active.defined() ? dense(active) : Tensor();
  by_dtype(h.dtype(), [&]<class T>() {
    rnn_cell(RnnCellForward<T>{{h.size(0), h.size(1), before.data<T>(), block_of(h.mutable_data<T>(), h.size(0)), nullptr, 0,
                                nullptr, flags.defined() ? flags.data<bool>() : nullptr},
                               std::as_const(h).data<T>(),
                               relu});
  });
}

RnnGradients rnn_step_backward(const Tensor& h, const Tensor& w_hh, const Tensor& dh, const Tensor& active, bool relu) {
  RnnGradients result{h.empty_like(), dh.clone()};
  const Tensor flags = active.defined() ? dense(active) : Tensor();
  by_dtype(h.dtype(), [&]<class T>() {
    rnn_cell_backward(RnnCellBackward<T>{{h.size(0), h.size(1), result.h0.mutable_data<T>(), nullptr, 0, nullptr,
                                          flags.defined() ? flags.data<bool>() : nullptr, flags.defined()},
                                         block_of(h.data<T>(), h.size(0)),
                                         result.gates.mutable_data<T>(),
                                         relu});
  });
  repeated_matmul_into(result.h0, result.gates, w_hh, flags.defined());
  return result;
}

}  // namespace weft::kernels
