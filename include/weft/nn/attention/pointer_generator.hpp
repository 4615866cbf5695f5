#pragma once
#include <cstdint>

#include "weft/nn/linear.hpp"
#include "weft/nn/module.hpp"
#include "weft/ops/loss.hpp"

namespace weft::nn::attention {

struct PointerGeneratorOptions {
  std::int64_t context_dim = 0;
  std::int64_t state_dim = 0;
  std::int64_t input_dim = 0;  ///< of the decoder's input; 0: the gate doesn't see it
};

/// What a pointer-generator mixes, for steps of a decoder. Ids of the extended vocabulary are the vocabulary's below its size;
/// from there on each row numbers the words of its source that the vocabulary lacks.
struct PointerGeneratorInput {
  Var context, state, input;  ///< what the gate sees, each [rows, steps, its size]; the last undefined where its size is 0
  Var logits;                 ///< of the vocabulary [rows, steps, V]
  Var weights;                ///< of the attention [rows, steps, places]
  Tensor source;              ///< the places' extended ids, i64 or i32 [rows, places]
  std::int64_t extended = 0;  ///< size of the extended vocabulary: V and the most further words that a row has
};

struct PointerGeneratorOutput {
  Var output;    ///< probabilities [rows, steps, extended]
  Var generate;  ///< the gate [rows, steps]: the part that is generated, the rest is copied
};

/// P(word) = g softmax(logits)(word) + (1 - g) sum of the weights of the places where it stands, with the gate
/// g = sigmoid(w . [context; state; input] + b) (See et al. 2017). So words of the source can be said that no vocabulary has.
/// All of it throws ShapeError, DTypeError, ValueError, and IndexError for an id outside the extended vocabulary.
class PointerGenerator : public Module<PointerGenerator> {
 public:
  explicit PointerGenerator(const PointerGeneratorOptions& options, const Scope& scope = {});

  PointerGeneratorOutput forward(const PointerGeneratorInput& in);

  /// log P of every word [rows, steps, extended], exactly where probabilities are tiny; -inf for words that can't be said.
  Var log_probabilities(const PointerGeneratorInput& in);

  /// -log P(target) for targets (extended ids, i64 or i32 [rows, steps]) without making P of the other words, exactly where
  /// probabilities are tiny. Targets of ignore_index count for nothing, what stands there may be NaN; none: [rows, steps]. A
  /// word that is neither in the vocabulary nor in the row's source costs +inf: give the id of unknown words instead.
  Var loss(const PointerGeneratorInput& in, const Tensor& targets, std::int64_t ignore_index = -100,
           LossReduction reduction = LossReduction::mean);

  Linear gate;  ///< w [1, context_dim + state_dim + input_dim], b [1]

 private:
  void check_input(const PointerGeneratorInput& in) const;
  /// The gate before its sigmoid [rows, steps]; what it sees is 0 where `counts` (bool [rows, steps], undefined: true) isn't.
  Var open_gate(const PointerGeneratorInput& in, const Tensor& counts);
  PointerGeneratorOptions options_;
};

}  // namespace weft::nn::attention
