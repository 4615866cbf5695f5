#include "weft/ops/lstm.hpp"

#include <array>

#include "base/fail.hpp"
#include "kernels/elementwise.hpp"
#include "kernels/lstm.hpp"
#include "kernels/matmul.hpp"
#include "kernels/reduce.hpp"
#include "ops/work.hpp"
#include "weft/autograd/record.hpp"

namespace weft {
namespace {

void check_weights(const Var& x, int rank, const Var& w_ih, const Var& w_hh, const Var& b_ih, const Var& b_hh, const char* op) {
  check<ShapeError>(w_hh.rank() == 2 && w_hh.size(0) == 4 * w_hh.size(1) && w_hh.size(1) > 0, op,
                    "w_hh has shape {}; [4 hidden, hidden] is needed", w_hh.shape());
  check<ShapeError>(x.rank() == rank && w_ih.rank() == 2 && w_ih.size(1) == x.size(-1) && w_ih.size(0) == w_hh.size(0), op,
                    "input {} doesn't fit w_ih {} and w_hh {}: {} and [4 hidden, in] are needed", x.shape(), w_ih.shape(),
                    w_hh.shape(), rank == 3 ? "[batch, steps, in]" : "[batch, in]");
  for (const Var* bias : {&b_ih, &b_hh})
    check<ShapeError>(!bias->defined() || bias->shape() == Shape{w_hh.size(0)}, op, "bias {} doesn't fit w_hh {}",
                      bias->value(), w_hh.shape());
  for (const Var* v : {&w_ih, &w_hh, &b_ih, &b_hh})
    check<DTypeError>(!v->defined() || (v->dtype() == x.dtype() && is_floating(x.dtype())), op,
                      "input {} and parameter {} differ in type", x.value(), v->value());
}

// Zeros where the state isn't given.
LSTMState state_or_zeros(const LSTMState& given, const Var& x, std::int64_t hidden, const char* op) {
  const Shape shape{x.size(0), hidden};
  LSTMState state = given;
  for (Var* v : {&state.h, &state.c}) {
    if (!v->defined()) *v = Tensor::zeros(shape, x.dtype());
    check<ShapeError>(v->shape() == shape && v->dtype() == x.dtype(), op, "state {} doesn't fit input {}: {} is needed",
                      v->value(), x.value(), shape);
  }
  return state;
}

Tensor checked_lengths(const Tensor& lengths, const Var& x) {
  if (!lengths.defined()) return {};
  check<DTypeError>(is_integer(lengths.dtype()), "lstm", "lengths are {}; integers are needed", lengths);
  check<ShapeError>(lengths.shape() == Shape{x.size(0)}, "lstm", "lengths {} don't fit input {}: one a row is needed",
                    lengths.shape(), x.shape());
  Tensor result = lengths.to(i64).contiguous();
  for (std::int64_t row = 0; row < result.numel(); ++row) {
    const std::int64_t length = result.data<std::int64_t>()[row];
    check<ValueError>(length >= 0 && length <= x.size(1), "lstm", "length {} of row {} is outside 0 to {} (input {})", length,
                      row, x.size(1), x.shape());
  }
  return result;
}

Tensor sum_of(const Var& a, const Var& b) {
  if (!a.defined()) return b.defined() ? kernels::dense(b.value()) : Tensor();
  return b.defined() ? kernels::add(a.value(), b.value()) : kernels::dense(a.value());
}

Tensor grad_or_none(const Sink& s, int output) { return s.has_grad(output) ? s.grad(output).value() : Tensor(); }

// x and the parameters at their places among a node's inputs; g [rows, 4H], with the rows' inputs and states before.
constexpr int input_x = 0, input_w_ih = 1, input_w_hh = 2, input_b_ih = 3, input_b_hh = 4, input_h = 5, input_c = 6;

void add_parameter_gradients(Sink& s, const Tensor& g, const Tensor& inputs, const Tensor& states) {
  s.add_product(input_w_ih, g, inputs);
  s.add_product(input_w_hh, g, states);
  if (!s.wants(input_b_ih) && !s.wants(input_b_hh)) return;
  const Var bias = kernels::sum_to(g, Shape{g.size(1)});
  s.add(input_b_ih, bias);
  s.add(input_b_hh, bias);
}

void refuse_second_order(const Sink& s, const char* op) {
  check<TapeError>(!s.recording(), op,
                   "its backward pass can't be recorded (create_graph); compose the cell from sigmoid and tanh");
}

}  // namespace

LSTMResult lstm(const Var& x, const Var& w_ih, const Var& w_hh, const Var& b_ih, const Var& b_hh, const LSTMOptions& options,
                const LSTMState& initial) {
  check_weights(x, 3, w_ih, w_hh, b_ih, b_hh, "lstm");
  const std::int64_t hidden = w_hh.size(1);
  const LSTMState state = state_or_zeros(initial, x, hidden, "lstm");
  kernels::LstmRun run = kernels::lstm(x.value(), w_ih.value(), w_hh.value(), sum_of(b_ih, b_hh), state.h.value(),
                                       state.c.value(), checked_lengths(options.lengths, x), options.reverse);
  detail::multiply_adds += x.size(0) * x.size(1) * (w_ih.numel() + w_hh.numel());
  std::array<Var, 3> outputs = {run.output, run.h, run.c};
  const std::array<const Var*, 7> inputs = {&x, &w_ih, &w_hh, &b_ih, &b_hh, &state.h, &state.c};
  record("lstm", outputs, inputs, [trace = std::move(run.trace), w_ih = Saved(w_ih), w_hh = Saved(w_hh)](Sink& s) {
    refuse_second_order(s, "lstm");
    const auto gradients =
        kernels::lstm_backward(trace, w_hh.value(), grad_or_none(s, 0), grad_or_none(s, 1), grad_or_none(s, 2));
    const std::int64_t width = gradients.gates.size(2), rows = gradients.gates.numel() / width;
    const Tensor g = gradients.gates.reshape({rows, width});
    add_parameter_gradients(s, g, trace.input.reshape({rows, trace.input.size(2)}),
                            kernels::states_before(trace, trace.hidden).reshape({rows, width / 4}));
    if (s.wants(input_x)) {
      const Tensor dx = kernels::matmul(g, w_ih.value(), "lstm").reshape(trace.input.shape());
      s.add(input_x, dx.transpose(0, 1));
    }
    s.add(input_h, gradients.h0);
    s.add(input_c, gradients.c0);
  });
  return {outputs[0], outputs[1], outputs[2]};
}

LSTMState lstm_step(const Var& x, const LSTMState& state, const Var& w_ih, const Var& w_hh, const Var& b_ih, const Var& b_hh,
                    const Tensor& active) {
  check_weights(x, 2, w_ih, w_hh, b_ih, b_hh, "lstm_step");
  check<ShapeError>(!active.defined() || (active.shape() == Shape{x.size(0)} && active.dtype() == boolean), "lstm_step",
                    "active {} doesn't fit input {}: a bool for each row is needed", active, x.shape());
  const LSTMState before = state_or_zeros(state, x, w_hh.size(1), "lstm_step");
  Tensor gates = kernels::linear(x.value(), w_ih.value(), sum_of(b_ih, b_hh));
  kernels::matmul_into(gates, before.h.value(), w_hh.value().transpose(0, 1), true);
  const kernels::LstmStep step = kernels::lstm_step(gates, before.h.value(), before.c.value(), active);
  detail::multiply_adds += x.size(0) * (w_ih.numel() + w_hh.numel());
  std::array<Var, 2> outputs = {step.h, step.c};
  const std::array<const Var*, 7> inputs = {&x, &w_ih, &w_hh, &b_ih, &b_hh, &before.h, &before.c};
  record("lstm_step", outputs, inputs,
         [gates, c = step.c, active, x = Saved(x), h = Saved(before.h), c_before = Saved(before.c), w_ih = Saved(w_ih),
          w_hh = Saved(w_hh)](Sink& s) {
           refuse_second_order(s, "lstm_step");
           const auto gradients =
               kernels::lstm_step_backward(gates, c_before.value(), c, s.grad(0).value(), s.grad(1).value(), active);
           // Rows that kept their state have zero gate gradients, but 0 times a NaN in them would be one.
           const auto selected = [&](const Tensor& v) {
             return active.defined() ? kernels::where(active.unsqueeze(1), v, Tensor::zeros({}, v.dtype()), "lstm_step") : v;
           };
           add_parameter_gradients(s, gradients.gates, selected(x.value()), selected(h.value()));
           if (s.wants(input_x)) s.add(input_x, kernels::matmul(gradients.gates, w_ih.value(), "lstm_step"));
           if (s.wants(input_h)) {
             Tensor dh = gradients.h.defined() ? gradients.h : h.value().empty_like();
             kernels::matmul_into(dh, gradients.gates, w_hh.value(), gradients.h.defined());
             s.add(input_h, dh);
           }
           s.add(input_c, gradients.c);
         });
  return {outputs[0], outputs[1]};
}

}  // namespace weft
