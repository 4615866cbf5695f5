#pragma once
#include "weft/nn/module.hpp"
#include "weft/nn/recurrent.hpp"
#include "weft/ops/rnn.hpp"

namespace weft::nn {

struct RNNOptions {
  std::int64_t input_size = 0;
  std::int64_t hidden_size = 0;
  std::int64_t num_layers = 1;
  RNNNonlinearity nonlinearity = RNNNonlinearity::tanh;
  bool bias = true;
  bool bidirectional = false;
  double dropout = 0;  ///< between layers, in training mode
};

struct RNNCellOptions {
  std::int64_t input_size = 0;
  std::int64_t hidden_size = 0;
  bool bias = true;
  RNNNonlinearity nonlinearity = RNNNonlinearity::tanh;
};

using RNNOutput = RecurrentOutput;

/// Layers of a plain recurrent net (Elman 1990) over x [batch, steps, input_size], with PyTorch's parameter names and
/// layouts, and its first values, uniform within 1 / sqrt(hidden_size). The batch is always first.
class RNN : public Module<RNN> {
 public:
  explicit RNN(const RNNOptions& options, const Scope& scope = {});

  /// lengths: steps of each row (i64 or i32 [batch]), all where undefined; what stands behind them is never read.
  /// initial: h as in RNNOutput, zeros where undefined.
  RNNOutput forward(const Var& x, const Tensor& lengths = {}, const Var& initial = {});

 private:
  RecurrentLayers layers_;
  RNNNonlinearity nonlinearity_;
};

/// One step of a plain recurrent net: x [batch, input_size] and a state [batch, hidden_size] (zeros where undefined) -> the
/// next state.
class RNNCell : public Module<RNNCell> {
 public:
  explicit RNNCell(const RNNCellOptions& options, const Scope& scope = {});

  Var forward(const Var& x, const Var& h = {});

  Weight weight_ih, weight_hh, bias_ih, bias_hh;

 private:
  RNNNonlinearity nonlinearity_;
};

}  // namespace weft::nn
