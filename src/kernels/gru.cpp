#include "kernels/gru.hpp"

#include "kernels/elementwise.hpp"
#include "kernels/gru_cell.hpp"
#include "kernels/matmul.hpp"
#include "kernels/repeated_matmul.hpp"

namespace weft::kernels {
namespace {

template <class T>
void run_steps(GruRun& run, const Tensor& w_hh, const Tensor& b_hh) {
  GruTrace& trace = run.trace;
  const Packing& packing = trace.packing;
  const std::int64_t steps = trace.steps(), units = trace.units();
  T *hidden = trace.hidden.mutable_data<T>(), *output = run.output.mutable_data<T>();
  for (std::int64_t s = 0; s < steps; ++s) {
    const std::int64_t t = trace.time(s), start = packing.start(t);
    const Tensor recurrent = repeated_linear(packing.step(trace.hidden, t), w_hh, b_hh);
    gru_cell(GruCellForward<T>{{packing.rows(t), units, hidden + start * units, trace.after(hidden, t), output + t * units,
                                steps * units, packing.order(), nullptr},
                               row_of<T>(trace.gates, start),
                               recurrent.data<T>(),
                               row_of<T>(trace.recurrent_n, start)});
  }
}

template <class T>
void run_back(const GruTrace& trace, const Tensor& w_hh, const Tensor& d_output, GruGradients& result) {
  const Packing& packing = trace.packing;
  const std::int64_t steps = trace.steps(), units = trace.units();
  for (std::int64_t s = steps - 1; s >= 0; --s) {
    const std::int64_t t = trace.time(s), start = packing.start(t);
    gru_cell_backward(GruCellBackward<T>{
        {packing.rows(t), units, result.h0.mutable_data<T>(), d_output.defined() ? d_output.data<T>() + t * units : nullptr,
         steps * units, packing.order(), nullptr, false},
        row_of<T>(trace.gates, start),
        row_of<T>(trace.recurrent_n, start),
        row_of<T>(trace.hidden, start),
        row_of<T>(result.gates, start),
        row_of<T>(result.recurrent, start)});
    Tensor dh = result.h0.slice(0, 0, packing.rows(t));
    repeated_matmul_into(dh, packing.step(result.recurrent, t), w_hh, true);
  }
}

}  // namespace

GruRun gru(const Tensor& x, const Tensor& w_ih, const Tensor& w_hh, const Tensor& b_ih, const Tensor& b_hh, const Tensor& h0,
           const Tensor& lengths, bool reverse) {
  GruRun run;
  GruTrace& trace = run.trace;
  begin(trace, x, h0, lengths, reverse);
  trace.gates = linear(trace.input, w_ih, b_ih);
  trace.recurrent_n = Tensor::empty({trace.packing.total(), trace.units()}, x.dtype());
  run.output = empty_output(trace);
  by_dtype(x.dtype(), [&]<class T>() { run_steps<T>(run, w_hh, b_hh); });
  run.h = trace.last(trace.hidden);
  return run;
}

GruGradients gru_backward(const GruTrace& trace, const Tensor& w_hh, const Tensor& d_output, const Tensor& d_h) {
  GruGradients result{trace.gates.empty_like(), trace.gates.empty_like(), sorted_or_zeros(trace, d_h, w_hh.dtype())};
  const Tensor output = d_output.defined() ? dense(d_output) : Tensor();
  by_dtype(w_hh.dtype(), [&]<class T>() { run_back<T>(trace, w_hh, output, result); });
  result.h0 = trace.packing.unsort(result.h0);
  return result;
}

GruStep gru_step(Tensor& gates, const Tensor& w_hh, const Tensor& b_hh, const Tensor& h, const Tensor& active) {
  GruStep result{h.empty_like(), h.empty_like()};
  const Tensor before = dense(h), flags = active.defined() ? dense(active) : Tensor(),
               recurrent = repeated_linear(h, w_hh, b_hh);
  by_dtype(h.dtype(), [&]<class T>() {
    gru_cell(GruCellForward<T>{{h.size(0), h.size(1), before.data<T>(), block_of(result.h.mutable_data<T>(), h.size(0)),
                                nullptr, 0, nullptr, flags.defined() ? flags.data<bool>() : nullptr},
                               gates.mutable_data<T>(),
                               recurrent.data<T>(),
                               result.recurrent_n.mutable_data<T>()});
  });
  return result;
}

GruGradients gru_step_backward(const Tensor& gates, const Tensor& recurrent_n, const Tensor& w_hh, const Tensor& h_before,
                               const Tensor& dh, const Tensor& active) {
  GruGradients result{gates.empty_like(), gates.empty_like(), dh.clone()};
  const Tensor before = dense(h_before), flags = active.defined() ? dense(active) : Tensor();
  by_dtype(dh.dtype(), [&]<class T>() {
    gru_cell_backward(GruCellBackward<T>{{before.size(0), before.size(1), result.h0.mutable_data<T>(), nullptr, 0, nullptr,
                                          flags.defined() ? flags.data<bool>() : nullptr, false},
                                         gates.data<T>(),
                                         recurrent_n.data<T>(),
                                         before.data<T>(),
                                         result.gates.mutable_data<T>(),
                                         result.recurrent.mutable_data<T>()});
  });
  repeated_matmul_into(result.h0, result.recurrent, w_hh, true);
  return result;
}

}  // namespace weft::kernels
