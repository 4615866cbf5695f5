#pragma once
#include "kernels/recurrent_cell.hpp"

namespace weft::kernels {

// The point-wise part of a GRU (Cho et al. 2014, gate order r z n and the reset after the product as PyTorch's) for rows of H
// units. f32 is vectorised, f64 plain.

/// gates [rows, 3H]: what comes from the input in, activations out; recurrent [rows, 3H]: what comes from the state, biases
/// included in both.  r and z: sigmoid of the sums,  n = tanh(input + r recurrent),  h = (1 - z) n + z h_prev.
/// recurrent_n [rows, H] keeps the last third of `recurrent`. Rows that rest get zeros in it and in the activations.
template <class T>
struct GruCellForward {
  StepRows<T> step;
  T* gates;
  const T* recurrent;
  T* recurrent_n;
};
void gru_cell(const GruCellForward<float>& cell);
void gru_cell(const GruCellForward<double>& cell);

/// From dh of the new state: the gradients of both gate inputs [rows, 3H], and in dh what goes past them to the old state.
/// A row that rested gets zero gate gradients and keeps dh.
template <class T>
struct GruCellBackward {
  StepRowsBack<T> step;
  const T *gates, *recurrent_n, *h_before;
  T *d_gates, *d_recurrent;
};
void gru_cell_backward(const GruCellBackward<float>& cell);
void gru_cell_backward(const GruCellBackward<double>& cell);

namespace reference {
void gru_cell(const GruCellForward<float>& cell);
void gru_cell_backward(const GruCellBackward<float>& cell);
}  // namespace reference

}  // namespace weft::kernels
