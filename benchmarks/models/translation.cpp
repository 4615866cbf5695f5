#include "models/translation.hpp"

#include <vector>

#include "models/models.hpp"
#include "models/training.hpp"
#include "weft/optim/adam.hpp"
#include "work/values.hpp"

using namespace weft;

namespace bench {
namespace {

seq2seq::Batch batch_of(const PairSizes& sizes) {
  // The target without the token of its beginning or end, which makes it `length` long.
  const Rows source = token_rows(sizes.rows, sizes.length, sizes.vocabulary, 1),
             target = token_rows(sizes.rows, sizes.length - 1, sizes.vocabulary, 2);
  std::vector<const seq2seq::TokenIds*> sources, targets;
  for (const auto& row : source) sources.push_back(&row);
  for (const auto& row : target) targets.push_back(&row);
  return seq2seq::make_batch(sources, targets);
}

struct State {
  State(std::unique_ptr<seq2seq::Model> made, const PairSizes& pairs, const Settings& settings)
      : batch(batch_of(pairs)), owned(std::move(made)), model(*owned) {
    fill_parameters(model, settings);
  }

  seq2seq::Batch batch;
  std::unique_ptr<seq2seq::Model> owned;
  seq2seq::Model& model;
};

}  // namespace

Work translation(std::unique_ptr<seq2seq::Model> model, const PairSizes& pairs, double gflop, const Settings& settings) {
  const auto state = std::make_shared<State>(std::move(model), pairs, settings);
  auto optimizer = std::make_unique<optim::Adam>(state->model.parameters(),
                                                 optim::AdamOptions{.lr = 5e-4, .betas = {0.9, 0.98}, .eps = 1e-9});
  const auto loss = [](State& s) { return s.model.loss(s.batch, 0.1); };
  return {training_step(state, std::move(optimizer), loss, 1.0), static_cast<double>(state->batch.target_tokens), gflop};
}

}  // namespace bench
