#pragma once
#include "kernels/recurrent_cell.hpp"

namespace weft::kernels {

// The point-wise part of a plain recurrent net (Elman 1990) for rows of H units. f32 is vectorised, f64 plain.

/// gates [rows, H]: pre-activations; the new state is tanh or max(x, 0) of them.
template <class T>
struct RnnCellForward {
  StepRows<T> step;
  const T* gates;
  bool relu;
};
void rnn_cell(const RnnCellForward<float>& cell);
void rnn_cell(const RnnCellForward<double>& cell);

/// From dh of the new state h: the pre-activations' gradients, zero for a row that rested, which keeps dh. The
/// derivative of relu at 0 is 0.
template <class T>
struct RnnCellBackward {
  StepRowsBack<T> step;
  StateRows<const T> h;
  T* d_gates;
  bool relu;
};
void rnn_cell_backward(const RnnCellBackward<float>& cell);
void rnn_cell_backward(const RnnCellBackward<double>& cell);

namespace reference {
void rnn_cell(const RnnCellForward<float>& cell);
void rnn_cell_backward(const RnnCellBackward<float>& cell);
}  // namespace reference

}  // namespace weft::kernels
