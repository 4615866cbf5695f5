#pragma once
#include "kernels/recurrent_cell.hpp"

namespace weft::kernels {

// The point-wise part of an LSTM (Hochreiter & Schmidhuber 1997, gate order i f g o as PyTorch's) for rows of H units.
// f32 is vectorised, f64 plain.

/// gates [rows, 4H]: pre-activations in, activations out.  c = f c_prev + i g,  h = o tanh(c).
/// Rows that rest keep their state and get zero activations.
template <class T>
struct LstmCellForward {
  StepRows<T> step;
  T* gates;
  std::int64_t gates_row;
  const T* c_before;  // [rows, H], dense
  StateRows<T> c;
};
void lstm_cell(const LstmCellForward<float>& cell);
void lstm_cell(const LstmCellForward<double>& cell);

/// From dh and dc of the new state: gates' gradients, and dc for the step before (in place). A row that rested gets zero gate
/// gradients and keeps dc.
template <class T>
struct LstmCellBackward {
  StepRowsBack<T> step;
  const T* gates;     // activations [rows, 4H], dense
  const T* c_before;  // [rows, H], dense
  StateRows<const T> c;
  T* dc;       // [rows, H], dense
  T* d_gates;  // [rows, 4H], dense
};
void lstm_cell_backward(const LstmCellBackward<float>& cell);
void lstm_cell_backward(const LstmCellBackward<double>& cell);

namespace reference {
void lstm_cell(const LstmCellForward<float>& cell);
void lstm_cell_backward(const LstmCellBackward<float>& cell);
}  // namespace reference

}  // namespace weft::kernels
