#pragma once
#include "weft/autograd/var.hpp"
#include "weft/ops/loss.hpp"

namespace weft {

// Losses that are 0 beyond a margin; their derivative at its edge is 0. The mean of nothing is 0. Targets are 1 or -1 (integers
// or floating numbers) where nothing else is said. Throw ShapeError, DTypeError, ValueError for other targets.

/// x where the target is 1, max(0, margin - x) where it is -1: input x and target of one shape.
Var hinge_embedding_loss(const Var& input, const Tensor& target, double margin = 1,
                         LossReduction reduction = LossReduction::mean);

/// 1 - cos(a, b) where the target is 1, max(0, cos(a, b) - margin) where it is -1: a and b [..., n], target [...].
Var cosine_embedding_loss(const Var& a, const Var& b, const Tensor& target, double margin = 0,
                          LossReduction reduction = LossReduction::mean);

struct MultiMarginLossOptions {
  int p = 1;  ///< power of each violation, 1 or 2
  double margin = 1;
  Tensor weight = {};  ///< [V], a factor for the rows of each class; undefined: 1
  LossReduction reduction = LossReduction::mean;
};

/// For each row of scores x [..., V] with a target class y [...] (i32 or i64): the sum over the other classes j of
/// max(0, margin - x_y + x_j)^p, divided by V. Throws IndexError for a class outside 0..V-1.
Var multi_margin_loss(const Var& input, const Tensor& targets, const MultiMarginLossOptions& options = {});

struct TripletMarginLossOptions {
  double margin = 1;
  double p = 2;       ///< of the norm, 1 to infinity
  double eps = 1e-6;  ///< added to each difference
  bool swap = false;  ///< the negative's distance is that to the nearer of anchor and positive (Balntas et al. 2016)
  LossReduction reduction = LossReduction::mean;
};

/// max(0, |anchor - positive| - |anchor - negative| + margin), the norms over the last dimension (Schroff et al. 2015): three
/// [..., n] of one shape. The derivative of a norm at 0 is 0. Throws ValueError for p < 1.
Var triplet_margin_loss(const Var& anchor, const Var& positive, const Var& negative,
                        const TripletMarginLossOptions& options = {});

}  // namespace weft
