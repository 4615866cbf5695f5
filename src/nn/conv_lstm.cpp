#include "weft/nn/conv_lstm.hpp"

#include <algorithm>
#include <cmath>

#include "base/fail.hpp"
#include "nn/padding.hpp"
#include "nn/recurrent.hpp"
#include "ops/lengths.hpp"
#include "weft/ops/convolution.hpp"
#include "weft/ops/elementwise.hpp"
#include "weft/ops/index.hpp"

namespace weft::nn {
namespace {

void check_options(const char* type, const ConvLSTMCellOptions& o) {
  check<ValueError>(o.input_channels > 0 && o.hidden_channels > 0, type,
                    "input_channels is {} and hidden_channels {}; both must be positive", o.input_channels, o.hidden_channels);
  for (const std::int64_t size : o.kernel_size.pair())
    check<ValueError>(size > 0 && size % 2 == 1, type, "kernel_size is {} by {}; odd sizes are needed to keep the image's",
                      o.kernel_size.height, o.kernel_size.width);
  if (o.peephole)
    check<ValueError>(o.peephole->height > 0 && o.peephole->width > 0, type, "peephole is {} by {}, which is no image's size",
                      o.peephole->height, o.peephole->width);
}

ConvLSTMCellOptions cell_options(const ConvLSTMOptions& o, std::int64_t layer) {
  return {.input_channels = layer == 0 ? o.input_channels : o.hidden_channels,
          .hidden_channels = o.hidden_channels,
          .kernel_size = o.kernel_size,
          .bias = o.bias,
          .peephole = o.peephole};
}

Size2d half(const Size2d& kernel) { return {kernel.height / 2, kernel.width / 2}; }

Var joined_or_none(const Var& a, const Var& b) { return a.defined() && b.defined() ? a + b : a.defined() ? a : b; }

}  // namespace

ConvLSTMCell::ConvLSTMCell(const ConvLSTMCellOptions& options, const Scope& scope) : Module(scope), options_(options) {
  check_options("ConvLSTMCell", options);
  const std::int64_t hidden = options.hidden_channels, height = options.kernel_size.height, width = options.kernel_size.width;
  const double bound = 1 / std::sqrt(static_cast<double>(hidden * height * width));
  const Init init = init::uniform(-bound, bound);
  weight_ih = Weight(this, "weight_ih", Shape{4 * hidden, options.input_channels, height, width}, init);
  weight_hh = Weight(this, "weight_hh", Shape{4 * hidden, hidden, height, width}, init);
  if (options.bias) bias = Weight(this, "bias", Shape{4 * hidden}, init);
  if (!options.peephole) return;
  const Shape image{hidden, options.peephole->height, options.peephole->width};
  weight_ci = Weight(this, "weight_ci", image, init::zeros());
  weight_cf = Weight(this, "weight_cf", image, init::zeros());
  weight_co = Weight(this, "weight_co", image, init::zeros());
}

// The channels are axis `channels` of x, height and width the next ones.
void ConvLSTMCell::check_input(const char* type, const Var& x, int channels) const {
  check<ValueError>(x.defined(), type, "the input isn't given");
  check<ShapeError>(x.rank() == channels + 3 && x.size(channels) == options_.input_channels, type,
                    "input {} is not [batch, {}{}, height, width]", x.value(), channels == 2 ? "steps, " : "",
                    options_.input_channels);
  if (!options_.peephole) return;
  check<ShapeError>(x.size(-2) == options_.peephole->height && x.size(-1) == options_.peephole->width, type,
                    "input {} doesn't fit the peephole's images of {} by {}", x.value(), options_.peephole->height,
                    options_.peephole->width);
}

void ConvLSTMCell::check_state(const char* type, const Var& x, const Var& state) const {
  const Shape needed{x.size(0), options_.hidden_channels, x.size(-2), x.size(-1)};
  check<ShapeError>(!state.defined() || state.shape() == needed, type, "state {} doesn't fit input {}: {} is needed",
                    state.value(), x.value(), needed);
  check<DTypeError>(!state.defined() || state.dtype() == x.dtype(), type, "state {} and input {} differ in dtype",
                    state.value(), x.value());
}

Var ConvLSTMCell::gates_of(const Var& x) const { return conv2d(x, weight_ih, bias, {.padding = half(options_.kernel_size)}); }

LSTMState ConvLSTMCell::next(const Var& gates_of_x, const LSTMState& state) const {
  const Var gates = joined_or_none(
      gates_of_x, state.h.defined() ? conv2d(state.h, weight_hh, {}, {.padding = half(options_.kernel_size)}) : Var());
  const std::int64_t hidden = options_.hidden_channels;
  const auto gate = [&](std::int64_t i) { return slice(gates, 1, i * hidden, (i + 1) * hidden); };
  const auto seen = [](const Weight& weight, const Var& c) { return weight.defined() && c.defined() ? c * weight : Var(); };
  const Var i = sigmoid(joined_or_none(gate(0), seen(weight_ci, state.c)));
  const Var f = sigmoid(joined_or_none(gate(1), seen(weight_cf, state.c)));
  const Var c = joined_or_none(i * tanh(gate(2)), state.c.defined() ? f * state.c : Var());
  const Var o = sigmoid(joined_or_none(gate(3), seen(weight_co, c)));
  return {o * tanh(c), c};
}

LSTMState ConvLSTMCell::forward(const Var& x, const LSTMState& state) {
  check_input("ConvLSTMCell", x, 1);
  check_state("ConvLSTMCell", x, state.h);
  check_state("ConvLSTMCell", x, state.c);
  return next(gates_of(x), state);
}

ConvLSTM::ConvLSTM(const ConvLSTMOptions& options, const Scope& scope)
    : Module(scope), cells({this, "cells"}), options_(options) {
  check<ValueError>(options.num_layers > 0, "ConvLSTM", "num_layers is {}; one at least is needed", options.num_layers);
  check_options("ConvLSTM", cell_options(options, 0));
  for (std::int64_t layer = 0; layer < options.num_layers; ++layer) cells.emplace(cell_options(options, layer));
}

ConvLSTMOutput ConvLSTM::forward(const Var& x, const Tensor& lengths, const LSTMState& initial) {
  constexpr const char* type = "ConvLSTM";
  cells[0].check_input(type, x, 2);
  const std::int64_t batch = x.size(0), steps = x.size(1);
  const Shape state_shape{batch, options_.hidden_channels, x.size(3), x.size(4)};
  for (const Var* state : {&initial.h, &initial.c}) {
    check<ShapeError>(!state->defined() || state->shape() == state_shape.with_inserted(0, options_.num_layers), type,
                      "initial state {} doesn't fit input {}: {} is needed", state->value(), x.value(),
                      state_shape.with_inserted(0, options_.num_layers));
    check<DTypeError>(!state->defined() || state->dtype() == x.dtype(), type, "initial state {} and input {} differ in dtype",
                      state->value(), x.value());
  }
  const Tensor ends = checked_lengths(type, lengths, "input", x.value(), 1);
  const bool padded = ends.defined() && std::any_of(ends.data<std::int64_t>(), ends.data<std::int64_t>() + batch,
                                                    [steps](std::int64_t end) { return end < steps; });
  const Tensor within = padded ? sequence_mask(ends, steps).unsqueeze(2).unsqueeze(3).unsqueeze(4) : Tensor();
  const Var nothing = Tensor::zeros(state_shape, x.dtype());
  Var input = zeros_behind(x, ends, 1, type);
  PoolVector<Var> h, c;
  for (std::size_t layer = 0; layer < cells.size(); ++layer) {
    const ConvLSTMCell& cell = cells[layer];
    const ScopeGuard scope(cell.path());
    const Var flat = cell.gates_of(flatten(input, 0, 1));
    const Var gates = reshape(flat, {batch, steps, flat.size(1), flat.size(2), flat.size(3)});
    LSTMState state{state_at(initial.h, layer), state_at(initial.c, layer)};
    PoolVector<Var> outputs;
    for (std::int64_t t = 0; t < steps; ++t) {
      LSTMState next = cell.next(select(gates, 1, t), state);
      Var output = next.h;
      if (within.defined()) {
        const Tensor going = within.select(1, t);
        output = where(going, next.h, Var::scalar(0, x.dtype()));
        next = {where(going, next.h, state.h.defined() ? state.h : nothing),
                where(going, next.c, state.c.defined() ? state.c : nothing)};
      }
      outputs.push_back(std::move(output));
      state = std::move(next);
    }
    h.push_back(state.h.defined() ? state.h : nothing);
    c.push_back(state.c.defined() ? state.c : nothing);
    input = steps > 0 ? stack(outputs, 1) : Var(Tensor::zeros(state_shape.with_inserted(1, 0), x.dtype()));
  }
  return {input, stack(h, 0), stack(c, 0)};
}

}  // namespace weft::nn
