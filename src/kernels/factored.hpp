#pragma once
#include "weft/tensor/tensor.hpp"

namespace weft::kernels {

// Adafactor's directions: the gradient, in its place, divided by the root of a running mean of its squares. All tensors of a
// call are dense and of one floating dtype. Where the mean is 0 (no floor, no gradient so far) the quotient is 0.

struct SquaresStep {
  double beta2;  ///< the share of the mean that stays
  double floor;  ///< added to each square
};

/// The mean is kept as its rows' and columns' means: grad [..., n, m], row [..., n], col [..., m]. `room`, f64 of m elements at
/// least, is to work in.
void factored_direction(Tensor& grad, Tensor& row, Tensor& col, Tensor& room, const SquaresStep& step);
/// The mean is kept as a whole, in the gradient's shape.
void direction(Tensor& grad, Tensor& exp_avg_sq, const SquaresStep& step);

}  // namespace weft::kernels
