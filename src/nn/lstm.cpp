#include "weft/nn/lstm.hpp"

#include <cmath>
#include <utility>

#include "base/fail.hpp"
#include "weft/ops/dropout.hpp"
#include "weft/ops/shape.hpp"
#include "weft/tensor/pool_vector.hpp"

namespace weft::nn {
namespace {

Init first_values(std::int64_t hidden) {
  const double bound = 1 / std::sqrt(static_cast<double>(hidden));
  return init::uniform(-bound, bound);
}

void check_sizes(const char* op, std::int64_t input, std::int64_t hidden) {
  check<ValueError>(input > 0 && hidden > 0, op, "input_size is {} and hidden_size {}; both must be positive", input, hidden);
}

// One tensor [states, batch, hidden] of the states [batch, hidden].
Var joined(const PoolVector<Var>& states) { return states.size() == 1 ? unsqueeze(states[0], 0) : stack(states, 0); }

}  // namespace

LSTM::LSTM(const LSTMOptions& options, const Scope& scope) : Module(scope), options_(options) {
  check_sizes("LSTM", options.input_size, options.hidden_size);
  check<ValueError>(options.num_layers > 0, "LSTM", "num_layers is {}; one at least is needed", options.num_layers);
  check<ValueError>(options.dropout >= 0 && options.dropout <= 1, "LSTM", "dropout is {}; a probability from 0 to 1 is needed",
                    options.dropout);
  const std::int64_t hidden = options.hidden_size, count = options.bidirectional ? 2 : 1;
  const Init init = first_values(hidden);
  for (std::int64_t layer = 0; layer < options.num_layers; ++layer) {
    const std::int64_t in = layer == 0 ? options.input_size : count * hidden;
    for (std::int64_t d = 0; d < count; ++d) {
      const std::string suffix = fmt::format("_l{}{}", layer, d == 1 ? "_reverse" : "");
      Direction direction;
      direction.w_ih = Weight(this, "weight_ih" + suffix, Shape{4 * hidden, in}, init);
      direction.w_hh = Weight(this, "weight_hh" + suffix, Shape{4 * hidden, hidden}, init);
      if (options.bias) {
        direction.b_ih = Weight(this, "bias_ih" + suffix, Shape{4 * hidden}, init);
        direction.b_hh = Weight(this, "bias_hh" + suffix, Shape{4 * hidden}, init);
      }
      directions_.push_back(std::move(direction));
    }
  }
}

LSTMOutput LSTM::forward(const Var& x, const Tensor& lengths, const LSTMState& initial) {
  check<ShapeError>(x.rank() == 3 && x.size(2) == options_.input_size, "LSTM", "input {} is not [batch, steps, {}]", x.value(),
                    options_.input_size);
  const Shape states{static_cast<std::int64_t>(directions_.size()), x.size(0), options_.hidden_size};
  for (const Var* given : {&initial.h, &initial.c})
    check<ShapeError>(!given->defined() || given->shape() == states, "LSTM",
                      "initial state {} doesn't fit input {}: {} is needed", given->value(), x.value(), states);
  const auto part = [](const Var& all, int i) { return all.defined() ? select(all, 0, i) : Var(); };

  PoolVector<Var> h, c;
  Var layer_input = x;
  for (std::size_t i = 0; i < directions_.size();) {
    if (i > 0 && training()) layer_input = dropout(layer_input, options_.dropout);
    Var output;
    for (const bool reverse : {false, true}) {
      if (reverse && !options_.bidirectional) break;
      const Direction& d = directions_[i];
      const LSTMState start{part(initial.h, static_cast<int>(i)), part(initial.c, static_cast<int>(i))};
      LSTMResult result =
          lstm(layer_input, d.w_ih, d.w_hh, d.b_ih, d.b_hh, weft::LSTMOptions{.lengths = lengths, .reverse = reverse}, start);
      output = reverse ? concat({output, result.output}, 2) : std::move(result.output);
      h.push_back(std::move(result.h));
      c.push_back(std::move(result.c));
      ++i;
    }
    layer_input = std::move(output);
  }
  return {std::move(layer_input), joined(h), joined(c)};
}

LSTMCell::LSTMCell(const LSTMCellOptions& options, const Scope& scope) : Module(scope) {
  const std::int64_t hidden = options.hidden_size;
  check_sizes("LSTMCell", options.input_size, hidden);
  const Init init = first_values(hidden);
  weight_ih = Weight(this, "weight_ih", Shape{4 * hidden, options.input_size}, init);
  weight_hh = Weight(this, "weight_hh", Shape{4 * hidden, hidden}, init);
  if (!options.bias) return;
  bias_ih = Weight(this, "bias_ih", Shape{4 * hidden}, init);
  bias_hh = Weight(this, "bias_hh", Shape{4 * hidden}, init);
}

LSTMState LSTMCell::forward(const Var& x, const LSTMState& state) {
  return lstm_step(x, state, weight_ih, weight_hh, bias_ih, bias_hh);
}

}  // namespace weft::nn
