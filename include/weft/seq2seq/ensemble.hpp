#pragma once
#include <vector>

#include "weft/seq2seq/model.hpp"

namespace weft::seq2seq {

/// Several models as one, which gives each token the mean of their probabilities: its logits are log mean_m softmax(logits_m).
/// The models may be of different kinds; their vocabularies are the same, and all copy or none does. They stay their owners',
/// outlive the ensemble and are put into training or eval mode by themselves: the ensemble has no parameters.
class Ensemble : public Model {
 public:
  /// Throws ValueError for no models, an undefined one, one that is an ensemble, target vocabularies of different sizes, and
  /// models of which some copy and others don't.
  explicit Ensemble(std::vector<Model*> models, const nn::Scope& scope = {});

  Encoded encode(const Padded& source) override;
  /// Its weights are the mean of those models' that have any.
  DecoderStep step(const DecoderMemory& memory, const DecoderState& state, const Tensor& tokens, bool attention) override;
  /// Features are logits already.
  Var project(const Var& features) override { return features; }
  std::int64_t target_vocabulary() const override { return models_[0]->target_vocabulary(); }
  std::int64_t max_target_length() const override;  // the least of them
  bool attends() const override;                    // one of them at least
  bool copies() const override { return models_[0]->copies(); }

 private:
  Reading read(const Batch& batch) override;

  std::vector<Model*> models_;
};

}  // namespace weft::seq2seq
