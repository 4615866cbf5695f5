#pragma once
#include "kernels/alignment.hpp"

namespace weft::kernels {

/// -log of the summed probability of all alignments of logits [batch, time, classes] (dense) with their targets (Graves 2006).
/// alphas: [batch, time, 2 + 2 most + 1], of the target with a blank before, between and behind its labels; the first two of a
/// frame are no states.
AlignmentSums ctc_loss(const Tensor& logits, const Alignment& a);

/// d(losses)/d(logits), each row times its factor [batch]; zeros for padding and where the factor is exactly 0.
Tensor ctc_loss_backward(const Tensor& logits, const Alignment& a, const AlignmentSums& sums, const Tensor& factors);

}  // namespace weft::kernels
