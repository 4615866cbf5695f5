#pragma once
#include <cstdint>

#include "weft/autograd/var.hpp"
#include "weft/ops/loss.hpp"

namespace weft {

struct SequenceLossOptions {
  std::int64_t blank = 0;  ///< the class that stands for no label
  bool zero_infinity =
      false;  ///< a row whose target is impossible counts 0 instead of +inf, its gradients are 0 instead of NaN
  LossReduction reduction = LossReduction::mean;
};

// -log of the summed probability of all alignments of a row's frames with its labels. Both take logits and normalise them:
// log_softmax leaves log-probabilities as they are, so these may be given as well, with the same result and gradients.
// targets [batch, most], input_lengths and target_lengths [batch] (i32 or i64; undefined lengths: all of it). What stands
// behind a length, NaN included, reaches neither results nor gradients. They have no second derivative: backward with
// create_graph throws TapeError.
// Throw ShapeError, DTypeError, ValueError for a length that is negative or too large and for a target that is the blank,
// IndexError for a blank or a target that is no class, each naming the row.

/// Connectionist temporal classification (Graves 2006): logits [batch, time, classes]; each frame gives a class, repeated ones
/// and then blanks go. mean: of the losses, each divided by its target's length (by 1 for none).
/// A target needs a frame for each label and one between equal neighbours; with fewer frames the loss is +inf.
Var ctc_loss(const Var& logits, const Tensor& targets, const Tensor& input_lengths = {}, const Tensor& target_lengths = {},
             const SequenceLossOptions& options = {});

/// RNN transducer (Graves 2012): logits [batch, time, most + 1, classes], for each frame and number of labels behind. A label
/// stays at its frame, a blank goes to the next one, the last step is a blank; so labels without frames are +inf.
Var transducer_loss(const Var& logits, const Tensor& targets, const Tensor& input_lengths = {},
                    const Tensor& target_lengths = {}, const SequenceLossOptions& options = {});

}  // namespace weft
