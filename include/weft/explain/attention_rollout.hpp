#pragma once
#include <vector>

#include "weft/autograd/var.hpp"

namespace weft::explain {

struct AttentionRolloutOptions {
  double residual = 0.5;  ///< share of a layer's output that passes by its attention, from 0 to below 1
};

/// Attention rollout (Abnar and Zuidema 2020): how much of each place's input is in each place behind the last layer, when
/// attention is all that moves it. With W_l the mean of a layer's heads and r the residual's share,
///   A_l = rows of (1 - r) W_l + r I divided by their sums,  R = A_n ... A_2 A_1.
/// `weights` are the self-attention's of the layers, the first one first: [batch, heads, places, places] each, or [batch,
/// places, places] where the heads are averaged already. Gives [batch, places, places]; a row whose sum is 0 stays zeros.
/// Throws ValueError without layers or for a residual outside [0, 1), ShapeError where a layer isn't square or not as the
/// first.
Var attention_rollout(const std::vector<Var>& weights, const AttentionRolloutOptions& options = {});

}  // namespace weft::explain
