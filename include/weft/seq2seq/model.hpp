#pragma once
#include <cstdint>
#include <limits>

#include "weft/nn/module.hpp"
#include "weft/seq2seq/batch.hpp"
#include "weft/tensor/pool_vector.hpp"

namespace weft::seq2seq {

/// What a decoder sees of the sentences: values with a row for each.
struct DecoderMemory {
  PoolVector<Var> values;
  Tensor lengths;                      ///< i64 [sentences]
  PoolVector<std::size_t> parts = {};  ///< of an ensemble: how many of the values each model has
  /// The rows `index` (i64) of all of it.
  DecoderMemory select(const Tensor& index) const;
};

/// Where a decoder stands: values with a row for each hypothesis, so that beams can be chosen among and carried.
struct DecoderState {
  PoolVector<Var> values;              ///< of any dtype; undefined ones stay so
  PoolVector<std::size_t> parts = {};  ///< of an ensemble: how many of the values each model has
  DecoderState select(const Tensor& index) const;
};

struct DecoderStep {
  DecoderState state;
  Var features;  ///< [rows, any]: what `project` makes logits of
  Var weights;   ///< attention [rows, source], where asked for and there is any
};

/// A model that translates: what trainer, search and checkpoints need of it.
class Model : public nn::Module<Model> {
 public:
  struct Encoded {
    DecoderMemory memory;
    DecoderState state;
  };
  virtual Encoded encode(const Padded& source) = 0;
  /// One decoder step from the hypotheses' last tokens, i32 [rows]; rows may be a multiple of the memory's, several next to
  /// each other for each sentence.
  virtual DecoderStep step(const DecoderMemory& memory, const DecoderState& state, const Tensor& tokens, bool attention) = 0;
  /// Logits [..., target vocabulary] of features [..., any]; of a model that copies [..., extended vocabulary of the sources].
  virtual Var project(const Var& features) = 0;

  /// Teacher forcing: logits [rows, steps, what project gives], zeros at the target's padding.
  Var forward(const Batch& batch);
  /// Cross entropy of the target's tokens, their mean, and what a model adds to it; no logits are made for padding.
  Var loss(const Batch& batch, double label_smoothing = 0);

  virtual std::int64_t target_vocabulary() const = 0;
  /// Most tokens that a target can have, its end counted.
  virtual std::int64_t max_target_length() const { return std::numeric_limits<std::int64_t>::max(); }
  /// Whether `step` has attention to give.
  virtual bool attends() const = 0;
  /// Whether words of the source that the vocabulary lacks can be said.
  virtual bool copies() const { return false; }

 protected:
  /// Teacher forcing: for each token of the target what `project` makes logits of [tokens, any], and which of the rows * steps
  /// places it has (i64 [tokens]).
  struct Reading {
    Var features;
    Tensor places;
  };
  virtual Reading read(const Batch& batch) = 0;
  /// The loss of a batch that was checked.
  virtual Var loss_of(const Batch& batch, double label_smoothing);
  /// The batch with lengths as dense i64. Throws ShapeError for a source and targets that don't fit each other, DTypeError,
  /// ValueError for a target without tokens or with others than it says, and for lengths that can't be.
  static Batch checked_batch(const Batch& batch);
  /// The reading whose features stand at the tokens of all [rows, steps, any].
  static Reading at_tokens(const Var& all, const Batch& batch);

  explicit Model(const nn::Scope& scope) : Module(scope) {}
};

}  // namespace weft::seq2seq
