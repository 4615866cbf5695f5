#pragma once
#include "kernels/recurrent.hpp"

namespace weft::kernels {

/// B rows, T steps, H units, I inputs.
struct LstmTrace : RecurrentTrace {
  Tensor gates;  ///< [T, B, 4H] activations; zeros where a row has ended
  Tensor cells;  ///< [T+1, B, H], placed as the hidden states are
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

/// From the gradients of output, h and c (undefined: none): those of the gates' inputs [T, B, 4H] and of h0 and c0.
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

namespace reference {
/// Its trace marks the active rows wherever lengths are given.
LstmRun lstm(const Tensor& x, const Tensor& w_ih, const Tensor& w_hh, const Tensor& bias, const Tensor& h0, const Tensor& c0,
             const Tensor& lengths, bool reverse);
LstmGradients lstm_backward(const LstmTrace& trace, const Tensor& w_hh, const Tensor& d_output, const Tensor& d_h,
                            const Tensor& d_c);
}  // namespace reference

}  // namespace weft::kernels
