#include "ops/recurrent.hpp"

#include "kernels/elementwise.hpp"
#include "kernels/reduce.hpp"
#include "weft/ops/reduce.hpp"

namespace weft::recurrent {

void check_weights(const Kind& kind, int rank, const Var& x, const Var& w_ih, const Var& w_hh, const Var& b_ih,
                   const Var& b_hh) {
  check<ValueError>(x.defined() && w_ih.defined() && w_hh.defined(), kind.op, "x, w_ih and w_hh must be given");
  check<ShapeError>(w_hh.rank() == 2 && w_hh.size(0) == kind.gates * w_hh.size(1) && w_hh.size(1) > 0, kind.op,
                    "w_hh has shape {}; [{}, hidden] is needed", w_hh.shape(), kind.height);
  check<ShapeError>(x.rank() == rank && w_ih.rank() == 2 && w_ih.size(1) == x.size(-1) && w_ih.size(0) == w_hh.size(0), kind.op,
                    "input {} doesn't fit w_ih {} and w_hh {}: {} and [{}, in] are needed", x.shape(), w_ih.shape(),
                    w_hh.shape(), rank == 3 ? "[batch, steps, in]" : "[batch, in]", kind.height);
  for (const Var* bias : {&b_ih, &b_hh})
    check<ShapeError>(!bias->defined() || bias->shape() == Shape{w_hh.size(0)}, kind.op, "bias {} doesn't fit w_hh {}",
                      bias->value(), w_hh.shape());
  for (const Var* v : {&w_ih, &w_hh, &b_ih, &b_hh})
    check<DTypeError>(!v->defined() || (v->dtype() == x.dtype() && is_floating(x.dtype())), kind.op,
                      "input {} and parameter {} differ in type", x.value(), v->value());
}

Var state_or_zeros(const Kind& kind, const Var& state, const Var& x, const Var& w_hh) {
  const Shape shape{x.size(0), w_hh.size(1)};
  if (!state.defined()) return Tensor::zeros(shape, x.dtype());
  check<ShapeError>(state.shape() == shape && state.dtype() == x.dtype(), kind.op,
                    "state {} doesn't fit input {}: {} is needed", state.value(), x.value(), shape);
  return state;
}

void check_active(const Kind& kind, const Tensor& active, const Var& x) {
  check<ShapeError>(!active.defined() || (active.shape() == Shape{x.size(0)} && active.dtype() == boolean), kind.op,
                    "active {} doesn't fit input {}: a bool for each row is needed", active, x.shape());
}

Tensor sum_of(const Var& a, const Var& b) {
  if (!a.defined()) return b.defined() ? kernels::dense(b.value()) : Tensor();
  return b.defined() ? kernels::add(a.value(), b.value()) : kernels::dense(a.value());
}

Var grad_or_none(const Sink& s, int output) { return s.has_grad(output) ? s.grad(output) : Var(); }

Tensor active_rows(const Tensor& active, const Tensor& v) {
  return active.defined() ? kernels::where(active.unsqueeze(1), v, Tensor::zeros({}, v.dtype()), "backward") : v;
}

void add_parameter_gradients(Sink& s, const Tensor& g_input, const Tensor& g_recurrent, const Tensor& x, const Tensor& h) {
  s.add_product(input_w_ih, g_input, x);
  s.add_product(input_w_hh, g_recurrent, h);
  const bool same = g_input.is_same(g_recurrent);
  Var bias;
  if (s.wants(input_b_ih) || (same && s.wants(input_b_hh))) bias = kernels::sum_to(g_input, Shape{g_input.size(1)});
  if (s.wants(input_b_ih)) s.add(input_b_ih, bias);
  if (s.wants(input_b_hh)) s.add(input_b_hh, same ? bias : kernels::sum_to(g_recurrent, Shape{g_recurrent.size(1)}));
}

Layer layer_of(const Sink& s, const kernels::RecurrentTrace& trace, const Tensor& cells) {
  Layer layer;
  layer.x = transpose(s.input(trace.packing.unpack(trace.input), input_x), 0, 1);
  layer.initial.h = s.input(trace.first(trace.hidden), input_h);
  if (cells.defined()) layer.initial.c = s.input(trace.first(cells), input_c);
  layer.active = trace.packing.active();
  layer.reverse = trace.reverse;
  return layer;
}

Layer layer_of(const Saved& x, const Saved& h, const Saved& c, const Saved& active) {
  return {unsqueeze(x.get(), 0), {h.get(), c.get()}, active.defined() ? active.value().unsqueeze(0) : Tensor(), false};
}

Var choose(const Tensor& active, const Var& a, const Var& b) {
  return active.defined() && a.defined() ? where(active, a, b) : a;
}

Var choose(const Tensor& active, const Var& a) {
  return active.defined() && a.defined() ? where(active, a, Var::scalar(0, a.dtype())) : a;
}

Var add_composite_gradients(Sink& s, const Var& x, const SavedParameters& parameters, const SequenceGradients& gradients) {
  s.add(input_h, gradients.initial.h);
  if (gradients.initial.c.defined()) s.add(input_c, gradients.initial.c);
  const std::int64_t steps = x.size(0), rows = steps * x.size(1);
  if (steps == 0) return s.wants(input_x) ? Tensor::zeros(x.shape(), x.dtype()) : Var();

  const auto by_rows = [&](const PoolVector<Var>& parts) { return reshape(stack(parts, 0), Shape{rows, parts[0].size(1)}); };
  const Var g_input = by_rows(gradients.input);
  const Var g_recurrent = gradients.recurrent.empty() ? g_input : by_rows(gradients.recurrent);
  if (s.wants(input_w_ih)) s.add(input_w_ih, matmul(transpose(g_input, 0, 1), reshape(x, Shape{rows, x.size(2)})));
  if (s.wants(input_w_hh)) s.add(input_w_hh, matmul(transpose(g_recurrent, 0, 1), by_rows(gradients.states)));
  if (s.wants(input_b_ih)) s.add(input_b_ih, sum(g_input, {0}));
  if (s.wants(input_b_hh)) s.add(input_b_hh, sum(g_recurrent, {0}));
  if (!s.wants(input_x)) return {};
  return reshape(matmul(g_input, parameters.w_ih.get()), x.shape());
}

}  // namespace weft::recurrent
