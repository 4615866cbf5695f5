#include "weft/ops/gru.hpp"

#include <array>

#include "kernels/gru.hpp"
#include "kernels/matmul.hpp"
#include "kernels/repeated_matmul.hpp"
#include "ops/lengths.hpp"
#include "ops/recurrent.hpp"

namespace weft {
namespace {

using namespace recurrent;

constexpr Kind sequence_kind{"gru", 3, "3 hidden"}, step_kind{"gru_step", 3, "3 hidden"};

// n = tanh(x_n + r h_n),  h' = n + z (h - n)
struct GRUComposite {
  GRUComposite(const Var& input, const Var& recurrent, const State& before) : h_before(before.h) {
    const std::int64_t units = before.h.size(1);
    const auto gate = [&](const Var& sums, std::int64_t i) { return slice(sums, 1, i * units, (i + 1) * units); };
    recurrent_n = gate(recurrent, 2);
    r = sigmoid(gate(input, 0) + gate(recurrent, 0));
    z = sigmoid(gate(input, 1) + gate(recurrent, 1));
    n = tanh(gate(input, 2) + r * recurrent_n);
    after.h = n + z * (h_before - n);
  }

  StepGradients back(const State& d) const {
    const Var dn = guarded_mul(d.h, (1 - z) * (1 - square(n)));
    const Var dr = guarded_mul(dn, recurrent_n * r * (1 - r));
    const Var dz = guarded_mul(d.h, (h_before - n) * z * (1 - z));
    return {concat({dr, dz, dn}, 1), concat({dr, dz, guarded_mul(dn, r)}, 1), {guarded_mul(d.h, z), {}}};
  }

  State after;
  Var h_before, recurrent_n, r, z, n;
};

}  // namespace

GRUResult gru(const Var& x, const Var& w_ih, const Var& w_hh, const Var& b_ih, const Var& b_hh, const GRUOptions& options,
              const Var& h) {
  check_weights(sequence_kind, 3, x, w_ih, w_hh, b_ih, b_hh);
  const Var h0 = state_or_zeros(sequence_kind, h, x, w_hh);
  const Tensor lengths = checked_lengths(sequence_kind.op, options.lengths, "input", x.value(), 1);
  kernels::GruRun run =
      kernels::gru(x.value(), w_ih.value(), w_hh.value(), b_ih.value(), b_hh.value(), h0.value(), lengths, options.reverse);
  std::array<Var, 2> outputs = {run.output, run.h};
  const std::array<const Var*, 6> inputs = {&x, &w_ih, &w_hh, &b_ih, &b_hh, &h0};
  record("gru", outputs, inputs, [trace = std::move(run.trace), parameters = saved(w_ih, w_hh, b_ih, b_hh)](Sink& s) {
    if (s.recording()) {
      const Var dx = composite_backward<GRUComposite>(s, layer_of(s, trace), parameters, grad_or_none(s, 0), {s.grad(1), {}});
      if (dx.defined()) s.add(input_x, transpose(dx, 0, 1));
      return;
    }
    const auto gradients =
        kernels::gru_backward(trace, parameters.w_hh.value(), grad_or_none(s, 0).value(), grad_or_none(s, 1).value());
    add_parameter_gradients(s, gradients.gates, gradients.recurrent, trace.input, trace.states_before(trace.hidden));
    if (s.wants(input_x))
      s.add(input_x, trace.packing.unpack(kernels::matmul(gradients.gates, parameters.w_ih.value(), "gru")));
    s.add(input_h, gradients.h0);
  });
  return {outputs[0], outputs[1]};
}

Var gru_step(const Var& x, const Var& h, const Var& w_ih, const Var& w_hh, const Var& b_ih, const Var& b_hh,
             const Tensor& active) {
  check_weights(step_kind, 2, x, w_ih, w_hh, b_ih, b_hh);
  check_active(step_kind, active, x);
  const Var before = state_or_zeros(step_kind, h, x, w_hh);
  Tensor gates = kernels::repeated_linear(x.value(), w_ih.value(), b_ih.value());
  const kernels::GruStep step = kernels::gru_step(gates, w_hh.value(), b_hh.value(), before.value(), active);
  return record(
      "gru_step", step.h, {&x, &w_ih, &w_hh, &b_ih, &b_hh, &before},
      [gates, recurrent_n = step.recurrent_n, active = Saved(active), x = Saved(x), h = Saved(before),
       parameters = saved(w_ih, w_hh, b_ih, b_hh)](Sink& s) {
        if (s.recording()) {
          const Var dx = composite_backward<GRUComposite>(s, layer_of(x, h, Saved(), active), parameters, {}, {s.grad(), {}});
          if (dx.defined()) s.add(input_x, squeeze(dx, 0));
          return;
        }
        const auto gradients = kernels::gru_step_backward(gates, recurrent_n, parameters.w_hh.value(), h.value(),
                                                          s.grad().value(), active.value());
        add_parameter_gradients(s, gradients.gates, gradients.recurrent, active_rows(active.value(), x.value()),
                                active_rows(active.value(), h.value()));
        if (s.wants(input_x)) s.add(input_x, kernels::repeated_matmul(gradients.gates, parameters.w_ih.value()));
        s.add(input_h, gradients.h0);
      });
}

}  // namespace weft
