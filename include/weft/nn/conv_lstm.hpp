#pragma once
#include <cstdint>
#include <optional>

#include "weft/nn/list.hpp"
#include "weft/nn/module.hpp"
#include "weft/nn/weight.hpp"
#include "weft/ops/lstm.hpp"
#include "weft/ops/size2d.hpp"

namespace weft::nn {

struct ConvLSTMCellOptions {
  std::int64_t input_channels = 0;
  std::int64_t hidden_channels = 0;
  Size2d kernel_size = 3;  ///< odd, so that images keep their size
  bool bias = true;
  std::optional<Size2d> peephole = {};  ///< size of the images: the gates see the cell, too, each element by its own weight
};

struct ConvLSTMOptions {
  std::int64_t input_channels = 0;
  std::int64_t hidden_channels = 0;
  Size2d kernel_size = 3;
  std::int64_t num_layers = 1;
  bool bias = true;
  std::optional<Size2d> peephole = {};
};

struct ConvLSTMOutput {
  Var output;  ///< [batch, steps, hidden_channels, height, width]: the last layer's states; zeros behind a row's length
  Var h, c;    ///< [num_layers, batch, hidden_channels, height, width] after each row's last step
};

/// One step of a convolutional LSTM (Shi et al. 2015): x [batch, input_channels, height, width] and a state [batch,
/// hidden_channels, height, width] (zeros where undefined) -> the next state,
///   i = sigmoid(Wxi * x + Whi * h + Wci c + bi)    f = sigmoid(Wxf * x + Whf * h + Wcf c + bf)
///   c' = f c + i tanh(Wxg * x + Whg * h + bg)      o = sigmoid(Wxo * x + Who * h + Wco c' + bo)    h' = o tanh(c')
/// with convolutions (*) padded by zeros and, without `peephole`, no Wci, Wcf and Wco. Kernels and bias start uniform within
/// 1 / sqrt(hidden_channels * kernel size), peepholes as zeros.
class ConvLSTMCell : public Module<ConvLSTMCell> {
 public:
  /// Throws ValueError for sizes that aren't positive and an even kernel.
  explicit ConvLSTMCell(const ConvLSTMCellOptions& options, const Scope& scope = {});

  /// Throws ShapeError for what doesn't fit, DTypeError.
  LSTMState forward(const Var& x, const LSTMState& state = {});

  Weight weight_ih;                        ///< [4 hidden_channels, input_channels, kernel height, kernel width], gates i f g o
  Weight weight_hh;                        ///< [4 hidden_channels, hidden_channels, kernel height, kernel width]
  Weight bias;                             ///< [4 hidden_channels], or none
  Weight weight_ci, weight_cf, weight_co;  ///< [hidden_channels, height, width], or none

 private:
  friend class ConvLSTM;
  void check_input(const char* type, const Var& x, int channels) const;
  void check_state(const char* type, const Var& x, const Var& state) const;
  Var gates_of(const Var& x) const;
  LSTMState next(const Var& gates_of_x, const LSTMState& state) const;

  ConvLSTMCellOptions options_;
};

/// Layers of ConvLSTMCell over x [batch, steps, input_channels, height, width]. The input's part of the gates is one
/// convolution for all steps, so that its cells aren't called one by one: their hooks and observers hear nothing.
class ConvLSTM : public Module<ConvLSTM> {
 public:
  /// Throws ValueError for sizes that aren't positive and an even kernel.
  explicit ConvLSTM(const ConvLSTMOptions& options, const Scope& scope = {});

  /// lengths: steps of each row (i64 or i32 [batch]), all where undefined; what stands behind them is never read.
  /// initial: h and c as in ConvLSTMOutput, zeros where undefined. Throws ShapeError, DTypeError, ValueError.
  ConvLSTMOutput forward(const Var& x, const Tensor& lengths = {}, const LSTMState& initial = {});

  List<ConvLSTMCell> cells;

 private:
  ConvLSTMOptions options_;
};

}  // namespace weft::nn
