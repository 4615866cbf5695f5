#include "weft/seq2seq/ensemble.hpp"

#include <algorithm>
#include <cmath>

#include "base/fail.hpp"
#include "weft/ops/elementwise.hpp"
#include "weft/ops/index.hpp"
#include "weft/ops/reduce.hpp"
#include "weft/ops/shape.hpp"
#include "weft/ops/softmax.hpp"

namespace weft::seq2seq {
namespace {

constexpr const char* where = "Ensemble";

// log mean exp of log probabilities [..., vocabulary]: a mean of probabilities that are too small for their dtype is right too.
Var log_mean(const PoolVector<Var>& log_probabilities) {
  return logsumexp(stack(log_probabilities, 0), {0}) - std::log(static_cast<double>(log_probabilities.size()));
}

// Values of all models one after the other, and how many each has.
void append(const PoolVector<Var>& values, PoolVector<Var>& all, PoolVector<std::size_t>& parts) {
  all.insert(all.end(), values.begin(), values.end());
  parts.push_back(values.size());
}

PoolVector<Var> part(const PoolVector<Var>& all, const PoolVector<std::size_t>& parts, std::size_t m) {
  std::size_t first = 0;
  for (std::size_t before = 0; before < m; ++before) first += parts[before];
  const auto begin = all.begin() + static_cast<std::ptrdiff_t>(first);
  return {begin, begin + static_cast<std::ptrdiff_t>(parts[m])};
}

}  // namespace

Ensemble::Ensemble(std::vector<Model*> models, const nn::Scope& scope) : Model(scope), models_(std::move(models)) {
  check<ValueError>(!models_.empty(), where, "no models; one at least is needed");
  for (std::size_t m = 0; m < models_.size(); ++m) {
    check<ValueError>(models_[m] != nullptr, where, "model {} is none", m);
    check<ValueError>(models_[m]->target_vocabulary() == target_vocabulary(), where,
                      "model {} has a target vocabulary of {} tokens, model 0 one of {}; they must have the same", m,
                      models_[m]->target_vocabulary(), target_vocabulary());
    check<ValueError>(dynamic_cast<const Ensemble*>(models_[m]) == nullptr, where,
                      "model {} is an ensemble itself; give its models one by one", m);
    check<ValueError>(models_[m]->copies() == models_[0]->copies(), where,
                      "model {} {} words of the source, model 0 {}: their distributions are of different words", m,
                      models_[m]->copies() ? "copies" : "doesn't copy", models_[0]->copies() ? "does" : "doesn't");
  }
}

std::int64_t Ensemble::max_target_length() const {
  std::int64_t least = Model::max_target_length();
  for (const Model* model : models_) least = std::min(least, model->max_target_length());
  return least;
}

bool Ensemble::attends() const {
  return std::any_of(models_.begin(), models_.end(), [](const Model* model) { return model->attends(); });
}

Model::Encoded Ensemble::encode(const Padded& source) {
  Encoded all{{{}, source.lengths, {}}, {}};
  for (Model* model : models_) {
    const Encoded each = model->encode(source);
    append(each.memory.values, all.memory.values, all.memory.parts);
    append(each.state.values, all.state.values, all.state.parts);
  }
  return all;
}

DecoderStep Ensemble::step(const DecoderMemory& memory, const DecoderState& state, const Tensor& tokens, bool attention) {
  check<ValueError>(memory.parts.size() == models_.size() && state.parts.size() == models_.size(), where,
                    "memory and state are of {} and {} models, not of {}", memory.parts.size(), state.parts.size(),
                    models_.size());
  DecoderStep result;
  PoolVector<Var> scores, weights;
  for (std::size_t m = 0; m < models_.size(); ++m) {
    const DecoderStep each = models_[m]->step({part(memory.values, memory.parts, m), memory.lengths, {}},
                                              {part(state.values, state.parts, m), {}}, tokens, attention);
    append(each.state.values, result.state.values, result.state.parts);
    scores.push_back(log_softmax(models_[m]->project(each.features), -1));
    if (attention && each.weights.defined()) weights.push_back(each.weights);
  }
  result.features = log_mean(scores);
  if (!weights.empty()) result.weights = mean(stack(weights, 0), {0});
  return result;
}

Model::Reading Ensemble::read(const Batch& batch) {
  const nn::OutsideModules models_stand_apart;
  PoolVector<Var> scores;
  for (Model* model : models_) scores.push_back(log_softmax((*model)(batch), -1));
  return at_tokens(log_mean(scores), batch);
}

}  // namespace weft::seq2seq
