#pragma once
#include "kernels/alignment.hpp"

namespace weft::kernels {

/// -log of the summed probability of all ways through the lattice of logits [batch, time, most + 1, classes] (dense): a blank
/// goes to the next frame, a label to the next of the target, the last step is a blank (Graves 2012).
/// alphas: [batch, time, most + 1].
AlignmentSums transducer_loss(const Tensor& logits, const Alignment& a);

/// d(losses)/d(logits), each row times its factor [batch]; zeros for padding and where the factor is exactly 0.
Tensor transducer_loss_backward(const Tensor& logits, const Alignment& a, const AlignmentSums& sums, const Tensor& factors);

}  // namespace weft::kernels
