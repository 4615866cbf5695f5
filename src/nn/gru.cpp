#include "weft/nn/gru.hpp"

#include "nn/recurrent.hpp"
#include "weft/ops/gru.hpp"

namespace weft::nn {

GRU::GRU(const GRUOptions& options, const Scope& scope) : Module(scope), layers_(make_layers(this, "GRU", 3, options)) {}

GRUOutput GRU::forward(const Var& x, const Tensor& lengths, const Var& initial) {
  check_input(layers_, "GRU", x);
  check_state(layers_, "GRU", x, initial);
  PoolVector<Var> h;
  const auto run = [&](const RecurrentWeights& w, std::size_t i, const Var& input, bool reverse) {
    GRUResult result =
        gru(input, w.w_ih, w.w_hh, w.b_ih, w.b_hh, {.lengths = lengths, .reverse = reverse}, state_at(initial, i));
    h.push_back(std::move(result.h));
    return std::move(result.output);
  };
  Var output = run_layers(layers_, x, training(), run);
  return {std::move(output), joined(h)};
}

GRUCell::GRUCell(const GRUCellOptions& options, const Scope& scope) : Module(scope) {
  RecurrentWeights weights = make_cell(this, "GRUCell", 3, options);
  weight_ih = std::move(weights.w_ih);
  weight_hh = std::move(weights.w_hh);
  bias_ih = std::move(weights.b_ih);
  bias_hh = std::move(weights.b_hh);
}

Var GRUCell::forward(const Var& x, const Var& h) { return gru_step(x, h, weight_ih, weight_hh, bias_ih, bias_hh); }

}  // namespace weft::nn
