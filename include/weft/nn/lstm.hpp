#pragma once
#include "weft/nn/module.hpp"
#include "weft/nn/recurrent.hpp"
#include "weft/ops/lstm.hpp"

namespace weft::nn {

using LSTMOptions = RecurrentOptions;
using LSTMCellOptions = RecurrentCellOptions;

struct LSTMOutput {
  Var output;  ///< [batch, steps, directions * hidden_size]: the last layer's states; zeros behind a row's length
  Var h, c;    ///< [num_layers * directions, batch, hidden_size] after each row's last step (backward: its first)
};

/// Layers of LSTM (Hochreiter & Schmidhuber 1997) over x [batch, steps, input_size], with PyTorch's parameter names,
/// layouts and gate order i f g o, and its first values, uniform within 1 / sqrt(hidden_size). The batch is always first.
class LSTM : public Module<LSTM> {
 public:
  explicit LSTM(const LSTMOptions& options, const Scope& scope = {});

  /// lengths: steps of each row (i64 or i32 [batch]), all where undefined; what stands behind them is never read.
  /// initial: h and c as in LSTMOutput, zeros where undefined.
  LSTMOutput forward(const Var& x, const Tensor& lengths = {}, const LSTMState& initial = {});

 private:
  RecurrentLayers layers_;
};

/// One step of an LSTM: x [batch, input_size] and a state [batch, hidden_size] (zeros where undefined) -> the next state.
class LSTMCell : public Module<LSTMCell> {
 public:
  explicit LSTMCell(const LSTMCellOptions& options, const Scope& scope = {});

  LSTMState forward(const Var& x, const LSTMState& state = {});

  Weight weight_ih, weight_hh, bias_ih, bias_hh;
};

}  // namespace weft::nn
