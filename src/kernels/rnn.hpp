#pragma once
#include "kernels/recurrent.hpp"

namespace weft::kernels {

struct RnnRun {
  Tensor output;  ///< [B, T, H]; zeros where a row has ended
  Tensor h;       ///< [B, H] after each row's last step
  RecurrentTrace trace;
};

/// x [B, T, I], w_ih [H, I], w_hh [H, H], bias [H] or undefined, h0 [B, H], lengths i64 [B] or undefined.
/// `relu` instead of tanh; `reverse` runs each row from its own last step to its first.
RnnRun rnn(const Tensor& x, const Tensor& w_ih, const Tensor& w_hh, const Tensor& bias, const Tensor& h0, const Tensor& lengths,
           bool reverse, bool relu);

/// From the gradients of output and h (undefined: none): those of the pre-activations, [P, H] or [B, H], and of the state
/// before.
struct RnnGradients {
  Tensor gates, h0;
};
RnnGradients rnn_backward(const RecurrentTrace& trace, const Tensor& w_hh, const Tensor& d_output, const Tensor& d_h,
                          bool relu);

/// One step: h [B, H], the pre-activations, becomes the new state; active bool [B] or undefined.
void rnn_step(Tensor& h, const Tensor& h_before, const Tensor& active, bool relu);
RnnGradients rnn_step_backward(const Tensor& h, const Tensor& w_hh, const Tensor& dh, const Tensor& active, bool relu);

}  // namespace weft::kernels
