#pragma once
#include "kernels/recurrent.hpp"

namespace weft::kernels {

/// Sizes as in recurrent.hpp.
struct GruTrace : RecurrentTrace {
  Tensor gates;        ///< [P, 3H] activations
  Tensor recurrent_n;  ///< [P, H]: W_hn h + b_hn, which r multiplies
};

struct GruRun {
  Tensor output;  ///< [B, T, H]; zeros where a row has ended
  Tensor h;       ///< [B, H] after each row's last step
  GruTrace trace;
};

/// x [B, T, I], w_ih [3H, I], w_hh [3H, H], biases [3H] or undefined, h0 [B, H], lengths i64 [B] or undefined.
/// `reverse` runs each row from its own last step to its first.
GruRun gru(const Tensor& x, const Tensor& w_ih, const Tensor& w_hh, const Tensor& b_ih, const Tensor& b_hh, const Tensor& h0,
           const Tensor& lengths, bool reverse);

/// From the gradients of output and h (undefined: none): those of x W_ih^T + b_ih and of h W_hh^T + b_hh, [P, 3H] or [B, 3H]
/// each, and of the state before.
struct GruGradients {
  Tensor gates, recurrent, h0;
};
GruGradients gru_backward(const GruTrace& trace, const Tensor& w_hh, const Tensor& d_output, const Tensor& d_h);

/// One step: gates [B, 3H] = x W_ih^T + b_ih become activations; active bool [B] or undefined.
struct GruStep {
  Tensor h, recurrent_n;
};
GruStep gru_step(Tensor& gates, const Tensor& w_hh, const Tensor& b_hh, const Tensor& h, const Tensor& active);
GruGradients gru_step_backward(const Tensor& gates, const Tensor& recurrent_n, const Tensor& w_hh, const Tensor& h_before,
                               const Tensor& dh, const Tensor& active);

}  // namespace weft::kernels
