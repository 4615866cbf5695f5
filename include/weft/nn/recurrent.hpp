#pragma once
#include <cstdint>
#include <vector>

#include "weft/nn/weight.hpp"

namespace weft::nn {

// What LSTM, GRU and RNN have in common.

struct RecurrentOptions {
  std::int64_t input_size = 0;
  std::int64_t hidden_size = 0;
  std::int64_t num_layers = 1;
  bool bias = true;
  bool bidirectional = false;
  double dropout = 0;  ///< between layers, in training mode; 0 for a single layer, where there is no between
};

struct RecurrentCellOptions {
  std::int64_t input_size = 0;
  std::int64_t hidden_size = 0;
  bool bias = true;
};

/// Output of a layer with a hidden state alone.
struct RecurrentOutput {
  Var output;  ///< [batch, steps, directions * hidden_size]: the last layer's states; zeros behind a row's length
  Var h;       ///< [num_layers * directions, batch, hidden_size] after each row's last step (backward: its first)
};

/// Parameters of one direction of one layer, or of a cell: w_ih [gates * hidden, in], w_hh [gates * hidden, hidden],
/// biases [gates * hidden] or none.
struct RecurrentWeights {
  Weight w_ih, w_hh, b_ih, b_hh;
};

/// Layer by layer, forward before backward.
struct RecurrentLayers {
  RecurrentOptions options;
  std::vector<RecurrentWeights> directions;
};

}  // namespace weft::nn
