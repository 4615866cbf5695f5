#include "weft/nn/lstm.hpp"

#include "nn/recurrent.hpp"

namespace weft::nn {

LSTM::LSTM(const LSTMOptions& options, const Scope& scope) : Module(scope), layers_(make_layers(this, "LSTM", 4, options)) {}

LSTMOutput LSTM::forward(const Var& x, const Tensor& lengths, const LSTMState& initial) {
  check_input(layers_, "LSTM", x);
  check_state(layers_, "LSTM", x, initial.h);
  check_state(layers_, "LSTM", x, initial.c);
  PoolVector<Var> h, c;
  const auto run = [&](const RecurrentWeights& w, std::size_t i, const Var& input, bool reverse) {
    LSTMResult result = lstm(input, w.w_ih, w.w_hh, w.b_ih, w.b_hh, {.lengths = lengths, .reverse = reverse},
                             {state_at(initial.h, i), state_at(initial.c, i)});
    h.push_back(std::move(result.h));
    c.push_back(std::move(result.c));
    return std::move(result.output);
  };
  Var output = run_layers(layers_, x, training(), run);
  return {std::move(output), joined(h), joined(c)};
}

LSTMCell::LSTMCell(const LSTMCellOptions& options, const Scope& scope) : Module(scope) {
  RecurrentWeights weights = make_cell(this, "LSTMCell", 4, options);
  weight_ih = std::move(weights.w_ih);
  weight_hh = std::move(weights.w_hh);
  bias_ih = std::move(weights.b_ih);
  bias_hh = std::move(weights.b_hh);
}

LSTMState LSTMCell::forward(const Var& x, const LSTMState& state) {
  return lstm_step(x, state, weight_ih, weight_hh, bias_ih, bias_hh);
}

}  // namespace weft::nn
