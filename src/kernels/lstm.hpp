#pragma once
#include "kernels/recurrent.hpp"

namespace weft::kernels {

/// Sizes as in recurrent.hpp.
struct LstmTrace : RecurrentTrace {
  Tensor gates;  ///< [P, 4H] activations
  Tensor cells;  ///< [P + B, H], placed as the hidden states are
};

struct LstmRun {
  Tensor output;  ///< [B, T, H]; zeros where a row has ended
  Tensor h, c;    ///< [B, H] after each row's last step
  LstmTrace trace;
};

/// x [B, T, I], w_ih [4H, I], w_hh [4H, H], bias [4H] or undefined, h0 and c0 [B, H], lengths i64 [B] or undefined.
/// `reverse` runs each row from its own last step to its first.
LstmRun lstm(const Tensor& x, const Tensor& w_ih, const Tensor& w_hh, const Tensor& bias, const Tensor& h0, const Tensor& c0,
             const Tensor& lengths, bool reverse);

/// From the gradients of output, h and c (undefined: none): those of the gates' inputs [P, 4H] and of h0 and c0 [B, H].
struct LstmGradients {
  Tensor gates, h0, c0;
};
LstmGradients lstm_backward(const LstmTrace& trace, const Tensor& w_hh, const Tensor& d_output, const Tensor& d_h,
                            const Tensor& d_c);

/// One step: gates [B, 4H] pre-activations become activations; active bool [B] or undefined.
struct LstmStep {
  Tensor h, c;
};
LstmStep lstm_step(Tensor& gates, const Tensor& h, const Tensor& c, const Tensor& active);
/// dh and dc [B, H] are of the new state; gives the gates' gradients, and what goes past the gates to the old state.
struct LstmStepGradients {
  Tensor gates, h, c;  ///< h: gradient of rows that kept their state, zeros elsewhere; undefined where all rows are active
};
LstmStepGradients lstm_step_backward(const Tensor& gates, const Tensor& c_before, const Tensor& c, const Tensor& dh,
                                     const Tensor& dc, const Tensor& active);

// As one would write it down, on padded rows. Traces are time first; the state before the first step stands where the
// direction begins: states [T+1, B, H] hold step t at t+1 (forward) or at t (reverse).
namespace reference {
struct LstmTrace {
  Tensor input, gates, hidden, cells;  ///< [T, B, I], [T, B, 4H], [T+1, B, H] twice
  Tensor active;                       ///< bool [T, B]; undefined without lengths
  bool reverse = false;
};
struct LstmRun {
  Tensor output, h, c;
  LstmTrace trace;
};
LstmRun lstm(const Tensor& x, const Tensor& w_ih, const Tensor& w_hh, const Tensor& bias, const Tensor& h0, const Tensor& c0,
             const Tensor& lengths, bool reverse);
/// Its gates' gradients are [T, B, 4H].
LstmGradients lstm_backward(const LstmTrace& trace, const Tensor& w_hh, const Tensor& d_output, const Tensor& d_h,
                            const Tensor& d_c);
}  // namespace reference

}  // namespace weft::kernels
