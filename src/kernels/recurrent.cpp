#include "kernels/recurrent.hpp"

#include "kernels/rows.hpp"

namespace weft::kernels {

Tensor RecurrentTrace::first(const Tensor& states) const { return gather_rows(states, packing.first_rows(reverse), "first"); }
Tensor RecurrentTrace::last(const Tensor& states) const {
  return packing.unsort(states.slice(0, packing.total(), packing.total() + packing.batch()));
}

void begin(RecurrentTrace& trace, const Tensor& x, const Tensor& h0, const Tensor& lengths, bool reverse) {
  trace.reverse = reverse;
  trace.packing = Packing(lengths, x.size(0), x.size(1));
  trace.input = trace.packing.pack(x);
  trace.hidden = states_from(trace, h0);
}

Tensor states_from(const RecurrentTrace& trace, const Tensor& first) {
  Tensor states = Tensor::empty({trace.packing.total() + trace.packing.batch(), first.size(1)}, first.dtype());
  put_rows(states, trace.packing.first_rows(trace.reverse), first);
  return states;
}

Tensor empty_output(const RecurrentTrace& trace) {
  const Packing& packing = trace.packing;
  const Shape shape{packing.batch(), packing.steps(), trace.units()};
  return packing.is_full() ? Tensor::empty(shape, trace.hidden.dtype()) : Tensor::zeros(shape, trace.hidden.dtype());
}

Tensor sorted_or_zeros(const RecurrentTrace& trace, const Tensor& x, DType dtype) {
  return x.defined() ? trace.packing.sort(x) : Tensor::zeros({trace.packing.batch(), trace.units()}, dtype);
}

}  // namespace weft::kernels
