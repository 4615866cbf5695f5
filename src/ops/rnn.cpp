#include "weft/ops/rnn.hpp"

#include <array>

#include "kernels/elementwise.hpp"
#include "kernels/matmul.hpp"
#include "kernels/repeated_matmul.hpp"
#include "kernels/rnn.hpp"
#include "ops/lengths.hpp"
#include "ops/recurrent.hpp"
#include "weft/ops/activation.hpp"

namespace weft {
namespace {

using namespace recurrent;

constexpr Kind sequence_kind{"rnn", 1, "hidden"}, step_kind{"rnn_step", 1, "hidden"};

struct RNNComposite {
  RNNComposite(const Var& input, const Var& recurrent, const State& /*before*/, bool relu) : cut(relu) {
    const Var sums = input + recurrent;
    after.h = cut ? weft::relu(sums) : tanh(sums);
  }

  StepGradients back(const State& d) const {
    if (!cut) return {guarded_mul(d.h, 1 - square(after.h)), {}, {}};
    return {masked_fill(d.h, kernels::binary(kernels::Binary::le, after.h.value(), 0.0), 0), {}, {}};
  }

  State after;
  bool cut;
};

}  // namespace

RNNResult rnn(const Var& x, const Var& w_ih, const Var& w_hh, const Var& b_ih, const Var& b_hh, const RNNOptions& options,
              const Var& h) {
  check_weights(sequence_kind, 3, x, w_ih, w_hh, b_ih, b_hh);
  const Var h0 = state_or_zeros(sequence_kind, h, x, w_hh);
  const Tensor lengths = checked_lengths(sequence_kind.op, options.lengths, "input", x.value(), 1);
  const bool relu = options.nonlinearity == RNNNonlinearity::relu;
  kernels::RnnRun run =
      kernels::rnn(x.value(), w_ih.value(), w_hh.value(), sum_of(b_ih, b_hh), h0.value(), lengths, options.reverse, relu);
  std::array<Var, 2> outputs = {run.output, run.h};
  const std::array<const Var*, 6> inputs = {&x, &w_ih, &w_hh, &b_ih, &b_hh, &h0};
  record("rnn", outputs, inputs, [trace = std::move(run.trace), relu, parameters = saved(w_ih, w_hh, b_ih, b_hh)](Sink& s) {
    if (s.recording()) {
      const Var dx =
          composite_backward<RNNComposite>(s, layer_of(s, trace), parameters, grad_or_none(s, 0), {s.grad(1), {}}, relu);
      if (dx.defined()) s.add(input_x, transpose(dx, 0, 1));
      return;
    }
    const auto gradients =
        kernels::rnn_backward(trace, parameters.w_hh.value(), grad_or_none(s, 0).value(), grad_or_none(s, 1).value(), relu);
    add_parameter_gradients(s, gradients.gates, gradients.gates, trace.input, trace.states_before(trace.hidden));
    if (s.wants(input_x))
      s.add(input_x, trace.packing.unpack(kernels::matmul(gradients.gates, parameters.w_ih.value(), "rnn")));
    s.add(input_h, gradients.h0);
  });
  return {outputs[0], outputs[1]};
}

Var rnn_step(const Var& x, const Var& h, const Var& w_ih, const Var& w_hh, const Var& b_ih, const Var& b_hh,
             const Tensor& active, RNNNonlinearity nonlinearity) {
  check_weights(step_kind, 2, x, w_ih, w_hh, b_ih, b_hh);
  check_active(step_kind, active, x);
  const Var before = state_or_zeros(step_kind, h, x, w_hh);
  const bool relu = nonlinearity == RNNNonlinearity::relu;
  Tensor after = kernels::repeated_linear(x.value(), w_ih.value(), sum_of(b_ih, b_hh));
  kernels::repeated_matmul_into(after, before.value(), w_hh.value().transpose(0, 1), true);
  kernels::rnn_step(after, before.value(), active, relu);
  return record("rnn_step", after, {&x, &w_ih, &w_hh, &b_ih, &b_hh, &before},
                [after = Saved(after), relu, active = Saved(active), x = Saved(x), h = Saved(before),
                 parameters = saved(w_ih, w_hh, b_ih, b_hh)](Sink& s) {
                  if (s.recording()) {
                    const Var dx = composite_backward<RNNComposite>(s, layer_of(x, h, Saved(), active), parameters, {},
                                                                    {s.grad(), {}}, relu);
                    if (dx.defined()) s.add(input_x, squeeze(dx, 0));
                    return;
                  }
                  const auto gradients = kernels::rnn_step_backward(after.value(), parameters.w_hh.value(), s.grad().value(),
                                                                    active.value(), relu);
                  add_parameter_gradients(s, gradients.gates, gradients.gates, active_rows(active.value(), x.value()),
                                          active_rows(active.value(), h.value()));
                  if (s.wants(input_x)) s.add(input_x, kernels::repeated_matmul(gradients.gates, parameters.w_ih.value()));
                  s.add(input_h, gradients.h0);
                });
}

}  // namespace weft
