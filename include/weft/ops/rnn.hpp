#pragma once
#include <cstdint>

#include "weft/autograd/var.hpp"

namespace weft {

enum class RNNNonlinearity : std::uint8_t { tanh, relu };

struct RNNOptions {
  Tensor lengths;        ///< steps of each row, i64 or i32 [batch], 0 to steps; undefined: all of them
  bool reverse = false;  ///< each row from its last step to its first
  RNNNonlinearity nonlinearity = RNNNonlinearity::tanh;
};

struct RNNResult {
  Var output;  ///< [batch, steps, hidden]; zeros behind a row's length
  Var h;       ///< [batch, hidden] after each row's last step; the initial state where the length is 0
};

/// One plain recurrent layer in one direction over x [batch, steps, in] (Elman 1990):
///   h' = tanh(W_ih x + b_ih + W_hh h + b_hh), or max(..., 0), whose derivative at 0 is 0
/// w_ih [hidden, in], w_hh [hidden, hidden], b_ih and b_hh [hidden] or undefined, h [batch, hidden], zeros where undefined.
/// What stands behind a row's length, NaN included, reaches neither results nor gradients.
/// Throws ShapeError, DTypeError, ValueError for a length outside 0..steps.
RNNResult rnn(const Var& x, const Var& w_ih, const Var& w_hh, const Var& b_ih = {}, const Var& b_hh = {},
              const RNNOptions& options = {}, const Var& h = {});

/// One step: x [batch, in] -> the state [batch, hidden] after `h`. Rows whose `active` (bool [batch]; undefined: all) is false
/// keep their state.
Var rnn_step(const Var& x, const Var& h, const Var& w_ih, const Var& w_hh, const Var& b_ih = {}, const Var& b_hh = {},
             const Tensor& active = {}, RNNNonlinearity nonlinearity = RNNNonlinearity::tanh);

}  // namespace weft
