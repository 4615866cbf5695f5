#include "weft/ops/lstm.hpp"

#include <array>

#include "kernels/lstm.hpp"
#include "kernels/matmul.hpp"
#include "kernels/repeated_matmul.hpp"
#include "ops/lengths.hpp"
#include "ops/recurrent.hpp"

namespace weft {
namespace {

using namespace recurrent;

constexpr Kind sequence_kind{"lstm", 4, "4 hidden"}, step_kind{"lstm_step", 4, "4 hidden"};

// c' = f c + i g,  h' = o tanh(c')
struct LSTMComposite {
  LSTMComposite(const Var& input, const Var& recurrent, const State& before) : c_before(before.c) {
    const Var sums = input + recurrent;
    const std::int64_t n = before.h.size(1);
    i = sigmoid(slice(sums, 1, 0, n));
    f = sigmoid(slice(sums, 1, n, 2 * n));
    g = tanh(slice(sums, 1, 2 * n, 3 * n));
    o = sigmoid(slice(sums, 1, 3 * n, 4 * n));
    after.c = f * c_before + i * g;
    squashed = tanh(after.c);
    after.h = o * squashed;
  }

  StepGradients back(const State& d) const {
    const Var dc = d.c + guarded_mul(d.h, o * (1 - square(squashed)));
    const Var di = guarded_mul(dc, g * i * (1 - i)), df = guarded_mul(dc, c_before * f * (1 - f));
    const Var dg = guarded_mul(dc, i * (1 - square(g))), d_o = guarded_mul(d.h, squashed * o * (1 - o));
    return {concat({di, df, dg, d_o}, 1), {}, {{}, guarded_mul(dc, f)}};
  }

  State after;
  Var c_before, i, f, g, o, squashed;
};

}  // namespace

LSTMResult lstm(const Var& x, const Var& w_ih, const Var& w_hh, const Var& b_ih, const Var& b_hh, const LSTMOptions& options,
                const LSTMState& initial) {
  check_weights(sequence_kind, 3, x, w_ih, w_hh, b_ih, b_hh);
  const Var h0 = state_or_zeros(sequence_kind, initial.h, x, w_hh), c0 = state_or_zeros(sequence_kind, initial.c, x, w_hh);
  const Tensor lengths = checked_lengths(sequence_kind.op, options.lengths, "input", x.value(), 1);
  kernels::LstmRun run = kernels::lstm(x.value(), w_ih.value(), w_hh.value(), sum_of(b_ih, b_hh), h0.value(), c0.value(),
                                       lengths, options.reverse);
  std::array<Var, 3> outputs = {run.output, run.h, run.c};
  const std::array<const Var*, 7> inputs = {&x, &w_ih, &w_hh, &b_ih, &b_hh, &h0, &c0};
  record("lstm", outputs, inputs, [trace = std::move(run.trace), parameters = saved(w_ih, w_hh, b_ih, b_hh)](Sink& s) {
    if (s.recording()) {
      const Var dx = composite_backward<LSTMComposite>(s, layer_of(s, trace, trace.cells), parameters, grad_or_none(s, 0),
                                                       {s.grad(1), s.grad(2)});
      if (dx.defined()) s.add(input_x, transpose(dx, 0, 1));
      return;
    }
    const auto gradients = kernels::lstm_backward(trace, parameters.w_hh.value(), grad_or_none(s, 0).value(),
                                                  grad_or_none(s, 1).value(), grad_or_none(s, 2).value());
    add_parameter_gradients(s, gradients.gates, gradients.gates, trace.input, trace.states_before(trace.hidden));
    if (s.wants(input_x))
      s.add(input_x, trace.packing.unpack(kernels::matmul(gradients.gates, parameters.w_ih.value(), "lstm")));
    s.add(input_h, gradients.h0);
    s.add(input_c, gradients.c0);
  });
  return {outputs[0], outputs[1], outputs[2]};
}

LSTMState lstm_step(const Var& x, const LSTMState& state, const Var& w_ih, const Var& w_hh, const Var& b_ih, const Var& b_hh,
                    const Tensor& active) {
  check_weights(step_kind, 2, x, w_ih, w_hh, b_ih, b_hh);
  check_active(step_kind, active, x);
  const Var h = state_or_zeros(step_kind, state.h, x, w_hh), c = state_or_zeros(step_kind, state.c, x, w_hh);
  Tensor gates = kernels::repeated_linear(x.value(), w_ih.value(), sum_of(b_ih, b_hh));
  kernels::repeated_matmul_into(gates, h.value(), w_hh.value().transpose(0, 1), true);
  const kernels::LstmStep step = kernels::lstm_step(gates, h.value(), c.value(), active);
  std::array<Var, 2> outputs = {step.h, step.c};
  const std::array<const Var*, 7> inputs = {&x, &w_ih, &w_hh, &b_ih, &b_hh, &h, &c};
  record("lstm_step", outputs, inputs,
         [gates, c_after = Saved(step.c), active = Saved(active), x = Saved(x), h = Saved(h), c = Saved(c),
          parameters = saved(w_ih, w_hh, b_ih, b_hh)](Sink& s) {
           if (s.recording()) {
             const Var dx =
                 composite_backward<LSTMComposite>(s, layer_of(x, h, c, active), parameters, {}, {s.grad(0), s.grad(1)});
             if (dx.defined()) s.add(input_x, squeeze(dx, 0));
             return;
           }
           const auto gradients = kernels::lstm_step_backward(gates, c.value(), c_after.value(), s.grad(0).value(),
                                                              s.grad(1).value(), active.value());
           add_parameter_gradients(s, gradients.gates, gradients.gates, active_rows(active.value(), x.value()),
                                   active_rows(active.value(), h.value()));
           if (s.wants(input_x)) s.add(input_x, kernels::repeated_matmul(gradients.gates, parameters.w_ih.value()));
           if (s.wants(input_h)) {
             Tensor dh = gradients.h.defined() ? gradients.h : h.value().empty_like();
             kernels::repeated_matmul_into(dh, gradients.gates, parameters.w_hh.value(), gradients.h.defined());
             s.add(input_h, dh);
           }
           s.add(input_c, gradients.c);
         });
  return {outputs[0], outputs[1]};
}

}  // namespace weft
