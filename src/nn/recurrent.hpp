#pragma once
#include <utility>

#include "weft/nn/recurrent.hpp"
#include "weft/ops/dropout.hpp"
#include "weft/ops/shape.hpp"
#include "weft/tensor/pool_vector.hpp"

namespace weft::nn {

/// Makes and registers a cell's parameters. `type` is named in errors.
RecurrentWeights make_cell(ModuleBase* owner, const char* type, std::int64_t gates, const RecurrentCellOptions& options);
/// ... and those of all layers and directions: weight_ih_l0, weight_hh_l0, bias_ih_l0, bias_hh_l0, weight_ih_l0_reverse, ...
RecurrentLayers make_layers(ModuleBase* owner, const char* type, std::int64_t gates, const RecurrentOptions& options);

void check_input(const RecurrentLayers& layers, const char* type, const Var& x);
/// `state` is [num_layers * directions, batch, hidden] or undefined.
void check_state(const RecurrentLayers& layers, const char* type, const Var& x, const Var& state);

/// The i-th of the states [states, batch, hidden]; undefined where they are. And all of them together again.
Var state_at(const Var& states, std::size_t i);
Var joined(const PoolVector<Var>& states);

/// Takes x through all layers: run(weights, i, input, reverse) gives the output of the i-th direction. Returns the last
/// layer's output, both directions side by side.
template <class Run>
Var run_layers(const RecurrentLayers& layers, const Var& x, bool training, const Run& run) {
  Var layer_input = x;
  for (std::size_t i = 0; i < layers.directions.size();) {
    if (i > 0 && training) layer_input = dropout(layer_input, layers.options.dropout);
    Var output = run(layers.directions[i], i, layer_input, false);
    ++i;
    if (layers.options.bidirectional) {
      output = concat({output, run(layers.directions[i], i, layer_input, true)}, 2);
      ++i;
    }
    layer_input = std::move(output);
  }
  return layer_input;
}

}  // namespace weft::nn
