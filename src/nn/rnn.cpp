#include "weft/nn/rnn.hpp"

#include "nn/recurrent.hpp"

namespace weft::nn {
namespace {

RecurrentOptions common(const RNNOptions& o) {
  return {o.input_size, o.hidden_size, o.num_layers, o.bias, o.bidirectional, o.dropout};
}

}  // namespace

RNN::RNN(const RNNOptions& options, const Scope& scope)
    : Module(scope), layers_(make_layers(this, "RNN", 1, common(options))), nonlinearity_(options.nonlinearity) {}

RNNOutput RNN::forward(const Var& x, const Tensor& lengths, const Var& initial) {
  check_input(layers_, "RNN", x);
  check_state(layers_, "RNN", x, initial);
  PoolVector<Var> h;
  const auto run = [&](const RecurrentWeights& w, std::size_t i, const Var& input, bool reverse) {
    RNNResult result = rnn(input, w.w_ih, w.w_hh, w.b_ih, w.b_hh,
                           {.lengths = lengths, .reverse = reverse, .nonlinearity = nonlinearity_}, state_at(initial, i));
    h.push_back(std::move(result.h));
    return std::move(result.output);
  };
  Var output = run_layers(layers_, x, training(), run);
  return {std::move(output), joined(h)};
}

RNNCell::RNNCell(const RNNCellOptions& options, const Scope& scope) : Module(scope), nonlinearity_(options.nonlinearity) {
  RecurrentWeights weights = make_cell(this, "RNNCell", 1, {options.input_size, options.hidden_size, options.bias});
  weight_ih = std::move(weights.w_ih);
  weight_hh = std::move(weights.w_hh);
  bias_ih = std::move(weights.b_ih);
  bias_hh = std::move(weights.b_hh);
}

Var RNNCell::forward(const Var& x, const Var& h) {
  return rnn_step(x, h, weight_ih, weight_hh, bias_ih, bias_hh, {}, nonlinearity_);
}

}  // namespace weft::nn
