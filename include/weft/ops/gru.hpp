#pragma once
#include "weft/autograd/var.hpp"

namespace weft {

struct GRUOptions {
  Tensor lengths;        ///< steps of each row, i64 or i32 [batch], 0 to steps; undefined: all of them
  bool reverse = false;  ///< each row from its last step to its first
};

struct GRUResult {
  Var output;  ///< [batch, steps, hidden]; zeros behind a row's length
  Var h;       ///< [batch, hidden] after each row's last step; the initial state where the length is 0
};

/// One GRU layer in one direction over x [batch, steps, in] (Cho et al. 2014; gates r z n and formula as in PyTorch):
///   r = sigmoid(W_ir x + b_ir + W_hr h + b_hr)        n = tanh(W_in x + b_in + r (W_hn h + b_hn))
///   z = sigmoid(W_iz x + b_iz + W_hz h + b_hz)        h' = (1 - z) n + z h
/// w_ih [3 hidden, in], w_hh [3 hidden, hidden], b_ih and b_hh [3 hidden] or undefined, h [batch, hidden], zeros where
/// undefined. What stands behind a row's length, NaN included, reaches neither results nor gradients.
/// Throws ShapeError, DTypeError, ValueError for a length outside 0..steps.
GRUResult gru(const Var& x, const Var& w_ih, const Var& w_hh, const Var& b_ih = {}, const Var& b_hh = {},
              const GRUOptions& options = {}, const Var& h = {});

/// One step: x [batch, in] -> the state [batch, hidden] after `h`. Rows whose `active` (bool [batch]; undefined: all) is false
/// keep their state.
Var gru_step(const Var& x, const Var& h, const Var& w_ih, const Var& w_hh, const Var& b_ih = {}, const Var& b_hh = {},
             const Tensor& active = {});

}  // namespace weft
