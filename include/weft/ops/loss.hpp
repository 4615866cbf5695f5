#pragma once
#include <cstdint>

#include "weft/autograd/var.hpp"

namespace weft {

// Losses of classes and probabilities; distances stand in distance_loss.hpp, margins in margin_loss.hpp, alignments in
// sequence_loss.hpp. Names and order of arguments are torch.nn.functional's, the classes are the last dimension.

enum class LossReduction { mean, sum, none };

struct CrossEntropyOptions {
  std::int64_t ignore_index = -100;               ///< targets of this value count for nothing
  Tensor weight = {};                             ///< [V], a factor for each class's term; undefined: 1
  double label_smoothing = 0;                     ///< this share of the target goes evenly to all classes
  LossReduction reduction = LossReduction::mean;  ///< mean: the sum divided by the weights of the targets that count
};

/// -log softmax(logits) at the targets; logits [..., V], targets [...] (i32 or i64). Unlike PyTorch the classes are the last
/// dimension, and with no target that counts the mean is 0, as are its gradients. Probabilities are never stored, but for
/// label smoothing with class weights. Without smoothing a target of a class with weight 0 isn't read from the logits.
/// Throws ShapeError, DTypeError, IndexError for a class outside 0..V-1, ValueError for a smoothing outside [0, 1] or
/// a weight that is negative or not finite.
Var cross_entropy(const Var& logits, const Tensor& targets, const CrossEntropyOptions& options = {});

struct NLLLossOptions {
  std::int64_t ignore_index = -100;               ///< targets of this value count for nothing
  Tensor weight = {};                             ///< [V], a factor for each class; undefined: 1
  LossReduction reduction = LossReduction::mean;  ///< mean: the sum divided by the weights of the targets that count
};

/// -log_probs at the targets: log_probs [..., V], targets [...] (i32 or i64). With no target that counts the mean is 0, as are
/// its gradients. Throws ShapeError, DTypeError, IndexError for a class outside 0..V-1.
Var nll_loss(const Var& log_probs, const Tensor& targets, const NLLLossOptions& options = {});

struct BCEWithLogitsOptions {
  Tensor weight = {};      ///< a factor for each element; broadcasts to the logits
  Tensor pos_weight = {};  ///< a factor for what a target of 1 asks for; broadcasts to the logits
  LossReduction reduction = LossReduction::mean;
};

/// -y log s - (1 - y) log(1 - s), s = sigmoid(logits), without overflow. Targets y have the logits' shape and are in [0, 1],
/// which isn't checked; an infinite logit on the side that the target asks for costs 0. The mean of nothing is 0.
/// Throws ShapeError, DTypeError.
Var binary_cross_entropy_with_logits(const Var& logits, const Var& target, const BCEWithLogitsOptions& options = {});

/// Kullback-Leibler divergence of each element, target (log target - input): input holds log-probabilities, target
/// probabilities, or their logarithms with log_target. Where the probability is 0 it is 0, -inf of the input included, with
/// gradients of 0. mean divides by the number of elements, as PyTorch's does; the divergence of distributions
/// is the sum divided by their number (its "batchmean"). Throws ShapeError, DTypeError.
Var kl_div(const Var& input, const Var& target, LossReduction reduction = LossReduction::mean, bool log_target = false);

}  // namespace weft
