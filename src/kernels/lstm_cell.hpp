#pragma once
#include <cstdint>

namespace weft::kernels {

// The point-wise part of an LSTM (Hochreiter & Schmidhuber 1997, gate order i f g o as PyTorch's) for `rows` rows of H units.
// Every pointer has its own distance from row to row. f32 is vectorised, f64 plain.

/// gates [rows, 4H]: pre-activations in, activations out.  c = f c_prev + i g,  h = o tanh(c).
/// Rows whose `active` is false keep their state, give zero output and zero activations; null: all are active.
template <class T>
struct CellForward {
  std::int64_t rows, hidden;
  T* gates;
  std::int64_t gates_row;
  const T *c_before, *h_before;  // [rows, H], dense
  T *c, *h;                      // [rows, H], dense
  T* output;                     // null: not wanted
  std::int64_t output_row;
  const bool* active;
};
void lstm_cell(const CellForward<float>& cell);
void lstm_cell(const CellForward<double>& cell);

/// From dh (plus d_output) and dc: gates' gradients, and dc for the step before (in place). An inactive row gets zero gate
/// gradients and keeps dh and dc; of active rows dh is set to zero where `clear_dh`, for a product to be added to.
template <class T>
struct CellBackward {
  std::int64_t rows, hidden;
  const T* gates;         // activations [rows, 4H], dense
  const T *c_before, *c;  // [rows, H], dense
  T *dh, *dc;             // [rows, H], dense
  const T* d_output;      // null: none
  std::int64_t d_output_row;
  T* d_gates;  // [rows, 4H], dense
  const bool* active;
  bool clear_dh;
};
void lstm_cell_backward(const CellBackward<float>& cell);
void lstm_cell_backward(const CellBackward<double>& cell);

namespace reference {
void lstm_cell(const CellForward<float>& cell);
void lstm_cell_backward(const CellBackward<float>& cell);
}  // namespace reference

}  // namespace weft::kernels
