#include "weft/nn/attention/looking_back.hpp"

#include "base/fail.hpp"
#include "nn/attention/parts.hpp"
#include "weft/ops/elementwise.hpp"
#include "weft/ops/shape.hpp"
#include "weft/tensor/pool_vector.hpp"

namespace weft::nn::attention {
namespace {

// History [rows, places], several rows next to each other for each of the memory's; what its weights made is 0 there already.
Var without_masked(const Var& history, const AttentionMemory& memory) {
  if (!memory.mask.defined() || memory.mask.size(0) == 0) return history;
  const std::int64_t rows = history.size(0), batch = memory.mask.size(0), places = history.size(1);
  const Tensor mask = memory.mask.unsqueeze(1).expand({batch, rows / batch, places}).reshape({rows, places});
  return where(mask, history, Var::scalar(0, history.dtype()));
}

}  // namespace

LookingBack::LookingBack(const char* kind, const Sizes& sizes, const Weighting& weighting, const Scope& scope)
    : Attention(kind, {positive(kind, "query_dim", sizes.query_dim), positive(kind, "key_dim", sizes.key_dim)}, weighting,
                scope),
      query(unbiased(sizes.query_dim, positive(kind, "hidden", sizes.hidden)), {this, "query"}),
      key({.in_features = sizes.key_dim, .out_features = sizes.hidden}, {this, "key"}),
      score(unbiased(sizes.hidden, 1), {this, "score"}) {}

Var LookingBack::prepare(const Var& keys) { return key(keys); }

// What doesn't look back, [batch, n, places, hidden]: not yet a score.
Var LookingBack::scores(const Var& queries, const Var& keys) { return each_with_each(queries, keys); }

void LookingBack::check_state(const Var& queries, const AttentionMemory& memory, const AttentionState& state) const {
  check_no_position(queries, state);
  if (!state.history.defined()) return;
  check<ShapeError>(state.history.shape() == Shape{queries.size(0), memory.values.size(1)}, kind(),
                    "the state's history {} doesn't fit query {} and the memory's values {}: [rows, places] is needed",
                    state.history.value(), queries.value(), memory.values.value());
  check<DTypeError>(state.history.dtype() == queries.dtype(), kind(), "the state's history {} and query {} differ in dtype",
                    state.history.value(), queries.value());
}

AttentionOutput LookingBack::attend(const Var& queries, const AttentionMemory& memory, const AttentionState& state) {
  const std::int64_t rows = queries.size(0), places = memory.values.size(1);
  Var history =
      state.history.defined() ? without_masked(state.history, memory) : Tensor::zeros({rows, places}, queries.dtype());
  if (queries.size(1) == 0) {
    const Tensor none = Tensor::zeros({rows, 0, places}, queries.dtype());
    return {Tensor::zeros({rows, 0, memory.values.size(2)}, queries.dtype()), none, {history, {}}};
  }
  const Var projected = query(queries);
  PoolVector<Var> contexts, weights;
  for (std::int64_t t = 0; t < queries.size(1); ++t) {
    const Var one = slice(projected, 1, t, t + 1);
    const Var hidden = scores(folded(one, memory), memory.keys) + features(folded(unsqueeze(history, 1), memory));
    AttentionOutput out = averaged(normalised(squeeze(score(tanh(hidden)), 3), mask_of(memory)), memory, one);
    history = next(history, squeeze(out.weights, 1));
    contexts.push_back(std::move(out.context));
    weights.push_back(std::move(out.weights));
  }
  return {concat(contexts, 1), concat(weights, 1), {history, {}}};
}

}  // namespace weft::nn::attention
