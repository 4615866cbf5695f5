#pragma once
#include "weft/autograd/var.hpp"
#include "weft/ops/loss.hpp"

namespace weft {

// Losses of differences d = input - target, both differentiable, f32 or f64. Unlike PyTorch the two have one shape: a loss
// that broadcasts hides mistakes. The mean of nothing is 0. Throw ShapeError and DTypeError naming both.

/// d^2
Var mse_loss(const Var& input, const Var& target, LossReduction reduction = LossReduction::mean);
/// |d|; the derivative at 0 is 0.
Var l1_loss(const Var& input, const Var& target, LossReduction reduction = LossReduction::mean);
/// d^2 / 2 up to |d| = delta, delta (|d| - delta / 2) beyond (Huber 1964). Throws ValueError unless delta > 0.
Var huber_loss(const Var& input, const Var& target, LossReduction reduction = LossReduction::mean, double delta = 1);
/// huber_loss / beta with beta for delta, l1_loss for beta 0. Throws ValueError for beta < 0.
Var smooth_l1_loss(const Var& input, const Var& target, LossReduction reduction = LossReduction::mean, double beta = 1);

/// Cosine of the angle between vectors along `axis`, which goes; a and b broadcast. Norms below eps count as eps.
/// Throws ShapeError, DTypeError, IndexError, ValueError for eps < 0.
Var cosine_similarity(const Var& a, const Var& b, int axis = 1, double eps = 1e-8);

}  // namespace weft
