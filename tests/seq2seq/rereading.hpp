#pragma once
#include <cmath>
#include <map>
#include <memory>
#include <utility>
#include <vector>

#include "seq2seq/small_model.hpp"
#include "weft/ops/softmax.hpp"

namespace weft::test {

/// An LSTM and a Transformer in f64.
inline std::vector<std::unique_ptr<seq2seq::Model>> small_models(std::uint64_t seed = 5) {
  std::vector<std::unique_ptr<seq2seq::Model>> made;
  for (const seq2seq::ModelOptions& options : small_kinds()) {
    made.push_back(seq2seq::make_model(options, {.owner = nullptr, .name = {}, .seed = seed}));
    made.back()->to(f64);
    made.back()->eval();
  }
  return made;
}

/// What a model says of one sentence, found without a state that is carried: all is read anew for each question.
class Rereading {
 public:
  Rereading(seq2seq::Model& model, seq2seq::TokenIds source) : model_(model), source_(std::move(source)) {}

  /// Log probabilities of what follows `target`, by teacher forcing.
  const std::vector<double>& next(const seq2seq::TokenIds& target) {
    const auto found = next_.find(target);
    if (found != next_.end()) return found->second;
    const std::vector<const seq2seq::TokenIds*> sources = {&source_}, targets = {&target};
    const Tensor scores = log_softmax(model_(seq2seq::make_batch(sources, targets)), -1).value();
    std::vector<double>& row = next_[target];
    for (std::int64_t token = 0; token < scores.size(2); ++token)
      row.push_back(scores.at({0, static_cast<std::int64_t>(target.size()), token}));
    return row;
  }

  /// Of `target` and, where it ended, of end_id behind it.
  double log_probability(const seq2seq::TokenIds& target, bool ended) {
    double sum = 0;
    for (std::size_t t = 0; t < target.size() + (ended ? 1 : 0); ++t) {
      const seq2seq::TokenIds before(target.begin(), target.begin() + static_cast<std::ptrdiff_t>(t));
      sum += next(before)[static_cast<std::size_t>(t < target.size() ? target[t] : seq2seq::end_id)];
    }
    return sum;
  }

  /// sum_i log min(sum_j attention[j, i], 1) of the decoder's steps that made so many tokens.
  double coverage(const seq2seq::TokenIds& target, bool ended) {
    const std::vector<const seq2seq::TokenIds*> sources = {&source_};
    auto [memory, state] = model_.encode(seq2seq::pad(sources));
    std::vector<double> sums(source_.size(), 0.0);
    std::int32_t last = seq2seq::begin_id;
    for (std::size_t t = 0; t < target.size() + (ended ? 1 : 0); ++t) {
      const seq2seq::DecoderStep step = model_.step(memory, state, Tensor::from<std::int32_t>({last}, {1}), true);
      for (std::size_t i = 0; i < sums.size(); ++i) sums[i] += step.weights.value().at({0, static_cast<std::int64_t>(i)});
      state = step.state;
      if (t < target.size()) last = target[t];
    }
    double result = 0;
    for (const double sum : sums) result += std::log(std::min(sum, 1.0));
    return result;
  }

 private:
  seq2seq::Model& model_;
  seq2seq::TokenIds source_;
  std::map<seq2seq::TokenIds, std::vector<double>> next_;
};

}  // namespace weft::test
