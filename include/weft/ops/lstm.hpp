#pragma once
#include "weft/autograd/var.hpp"

namespace weft {

/// Hidden and cell state, each [batch, hidden]; undefined ones stand for zeros.
struct LSTMState {
  Var h, c;
};

struct LSTMOptions {
  Tensor lengths;        ///< steps of each row, i64 or i32 [batch], 0 to steps; undefined: all of them
  bool reverse = false;  ///< each row from its last step to its first
};

struct LSTMResult {
  Var output;  ///< [batch, steps, hidden]; zeros behind a row's length
  Var h, c;    ///< [batch, hidden] after each row's last step; the initial state where the length is 0
};

/// One LSTM layer in one direction over x [batch, steps, in] (Hochreiter & Schmidhuber 1997; gates i f g o as in PyTorch):
/// w_ih [4 hidden, in], w_hh [4 hidden, hidden], b_ih and b_hh [4 hidden] or undefined.
/// What stands behind a row's length, NaN included, reaches neither results nor gradients.
/// Throws ShapeError, DTypeError, ValueError for a length outside 0..steps.
LSTMResult lstm(const Var& x, const Var& w_ih, const Var& w_hh, const Var& b_ih = {}, const Var& b_hh = {},
                const LSTMOptions& options = {}, const LSTMState& initial = {});

/// One step: x [batch, in]. Rows whose `active` (bool [batch]; undefined: all) is false keep their state.
LSTMState lstm_step(const Var& x, const LSTMState& state, const Var& w_ih, const Var& w_hh, const Var& b_ih = {},
                    const Var& b_hh = {}, const Tensor& active = {});

}  // namespace weft
