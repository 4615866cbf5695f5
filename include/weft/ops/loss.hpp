#pragma once
#include <cstdint>

#include "weft/autograd/var.hpp"

namespace weft {

enum class LossReduction { mean, sum, none };

struct CrossEntropyOptions {
  std::int64_t ignore_index = -100;               ///< targets of this value count for nothing
  double label_smoothing = 0;                     ///< this share of the target goes evenly to all classes
  LossReduction reduction = LossReduction::mean;  ///< mean: over the targets that count
};

/// -log softmax(logits) at the targets; logits [..., V], targets [...] (i32 or i64). Unlike PyTorch the classes are the last
/// dimension, and with no target that counts the mean is 0, as are its gradients. Probabilities are never stored.
/// Throws ShapeError, DTypeError, IndexError for a class outside 0..V-1, ValueError for a smoothing outside [0, 1].
Var cross_entropy(const Var& logits, const Tensor& targets, const CrossEntropyOptions& options = {});

}  // namespace weft
