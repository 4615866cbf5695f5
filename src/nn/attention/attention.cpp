#include "weft/nn/attention/attention.hpp"

#include "base/fail.hpp"
#include "nn/heads.hpp"
#include "ops/mask_dtype.hpp"
#include "weft/ops/dropout.hpp"
#include "weft/ops/elementwise.hpp"
#include "weft/ops/index.hpp"
#include "weft/ops/matmul.hpp"
#include "weft/ops/shape.hpp"

namespace weft::nn {
namespace {

Tensor rows_of(const Tensor& x, const Tensor& index) { return x.defined() ? index_select(Var(x), 0, index).value() : x; }

}  // namespace

AttentionMemory AttentionMemory::select(const Tensor& index) const {
  return {index_select(keys, 0, index), index_select(values, 0, index), rows_of(mask, index)};
}

AttentionState AttentionState::select(const Tensor& index) const {
  return {history.defined() ? index_select(history, 0, index) : Var(), rows_of(position, index)};
}

namespace attention {
namespace {

Var without_masked(const Var& x, const Tensor& mask) {
  return mask.defined() ? where(mask.unsqueeze(2), x, Var::scalar(0, x.dtype())) : x;
}

std::string size_text(std::int64_t size) { return size == 0 ? "size" : fmt::to_string(size); }

}  // namespace

Attention::Attention(const char* kind, const Sizes& sizes, const Weighting& weighting, const Scope& scope)
    : Module(scope), kind_(kind), sizes_(sizes), weighting_(weighting) {
  check<ValueError>(weighting.dropout >= 0 && weighting.dropout < 1, kind, "dropout is {}; it must be in [0, 1)",
                    weighting.dropout);
}

AttentionMemory Attention::remember(const Var& keys, const Var& values, const Tensor& mask) {
  const ModuleScope scope(*this);
  check<ValueError>(keys.defined() && values.defined(), kind_, "keys and values are needed; {} undefined",
                    keys.defined()     ? "the values are"
                    : values.defined() ? "the keys are"
                                       : "both are");
  check<ShapeError>(keys.rank() == 3 && (sizes_.key == 0 || keys.size(2) == sizes_.key), kind_,
                    "keys {} are not [batch, places, {}]", keys.value(), size_text(sizes_.key));
  check<ShapeError>(values.rank() == 3 && values.size(0) == keys.size(0) && values.size(1) == keys.size(1), kind_,
                    "values {} don't fit keys {}: batch and places differ", values.value(), keys.value());
  check<ShapeError>(sizes_.value == 0 || values.size(2) == sizes_.value, kind_,
                    "values {} for keys {} are not [batch, places, {}]", values.value(), keys.value(), sizes_.value);
  check<DTypeError>(is_floating(keys.dtype()) && keys.dtype() == values.dtype(), kind_,
                    "keys {} and values {}: both must be f32 or both f64", keys.value(), values.value());
  for (const Parameter* weight : parameters())
    check<DTypeError>(weight->dtype() == keys.dtype(), kind_, "keys {} and the module's weights {} differ in dtype",
                      keys.value(), weight->value());
  if (mask.defined()) check_mask_dtype(kind_, "the mask", mask);
  check<ShapeError>(!mask.defined() || mask.shape() == Shape{keys.size(0), keys.size(1)}, kind_,
                    "mask {} doesn't fit keys {}: [batch, places] is needed", mask, keys.value());
  const Var clean = without_masked(values, mask);
  return kept(same(keys, values) ? clean : without_masked(keys, mask), clean, mask);
}

AttentionMemory Attention::kept(const Var& keys, const Var& values, const Tensor& mask) {
  return {prepare(keys), values, mask};
}

void Attention::check_kept(const AttentionMemory& memory) const {
  const PreparedKeys keys = prepared();
  const auto fits = [&] {
    if (memory.values.rank() != 3 || memory.keys.rank() != 3 || memory.keys.size(0) != memory.values.size(0)) return false;
    const int places = keys.turned ? 2 : 1;
    return memory.keys.size(places) == memory.values.size(1) && (keys.size == 0 || memory.keys.size(3 - places) == keys.size) &&
           (sizes_.value == 0 || memory.values.size(2) == sizes_.value);
  };
  if (fits()) return;
  const std::string size = size_text(keys.size);
  fail<ShapeError>(kind_,
                   "keys {} and values {} are no memory of this module, [batch, {}, {}] and [batch, places, {}]; `remember` "
                   "makes one",
                   memory.keys.value(), memory.values.value(), keys.turned ? size : "places", keys.turned ? "places" : size,
                   size_text(sizes_.value));
}

void Attention::check_no_history(const Var& query, const AttentionState& state) const {
  if (state.history.defined())
    fail<ValueError>(kind_, "the state for query {} has a history {}, which another kind of attention has left", query.value(),
                     state.history.value());
}

void Attention::check_no_position(const Var& query, const AttentionState& state) const {
  if (state.position.defined())
    fail<ValueError>(kind_, "the state for query {} has a position {}, which another kind of attention has left", query.value(),
                     state.position);
}

void Attention::check_state(const Var& query, const AttentionMemory& /*memory*/, const AttentionState& state) const {
  check_no_history(query, state);
  check_no_position(query, state);
}

void Attention::check_query(const Var& query, const AttentionMemory& memory) const {
  check<ValueError>(memory.keys.defined() && memory.values.defined(), kind_,
                    "there is nothing to attend to: the memory is empty; `remember` makes one");
  check<ValueError>(query.defined(), kind_, "the query is undefined");
  check_kept(memory);
  check<DTypeError>(memory.keys.dtype() == memory.values.dtype(), kind_, "the memory's keys {} and values {} differ in dtype",
                    memory.keys.value(), memory.values.value());
  const Tensor& mask = memory.mask;
  if (mask.defined()) check_mask_dtype(kind_, "the memory's mask", mask);
  check<ShapeError>(!mask.defined() || mask.shape() == Shape{memory.values.size(0), memory.values.size(-2)}, kind_,
                    "the memory's mask {} doesn't fit its values {}: [batch, places] is needed", mask, memory.values.value());
  const std::int64_t batch = memory.values.size(0);
  check<ShapeError>(query.rank() == 3 && (sizes_.query == 0 || query.size(2) == sizes_.query) &&
                        (batch > 0 ? query.size(0) % batch == 0 : query.size(0) == 0),
                    kind_, "query {} is not [{} or a multiple, queries, {}] for the memory's values {}", query.value(), batch,
                    size_text(sizes_.query), memory.values.value());
  check<DTypeError>(query.dtype() == memory.values.dtype(), kind_, "query {} and the memory's values {} differ in dtype",
                    query.value(), memory.values.value());
}

AttentionOutput Attention::forward(const Var& query, const AttentionMemory& memory, const AttentionState& state) {
  check_query(query, memory);
  check_state(query, memory, state);
  return attend(query, memory, state);
}

AttentionOutput Attention::forward(const Var& query, const Var& keys, const Var& values, const Tensor& mask) {
  const AttentionMemory memory = remember(keys, values, mask);
  check<ShapeError>(!query.defined() || query.rank() == 0 || query.size(0) == keys.size(0), kind_,
                    "query {} and keys {} have different rows; several rows of queries for each of the keys need a memory made "
                    "by `remember`",
                    query.value(), keys.value());
  return forward(query, memory);
}

AttentionOutput Attention::attend(const Var& query, const AttentionMemory& memory, const AttentionState& /*state*/) {
  return averaged(normalised(scores(folded(query, memory), memory.keys), mask_of(memory)), memory, query);
}

Var Attention::folded(const Var& x, const AttentionMemory& memory) {
  const std::int64_t batch = memory.values.size(0), rows = x.size(0);
  return rows == batch ? x : reshape(x, {batch, rows / batch * x.size(1), x.size(2)});
}

AttentionOutput Attention::averaged(const Var& weights, const AttentionMemory& memory, const Var& query) const {
  const Var context = matmul(training() ? dropout(weights, weighting_.dropout) : weights, memory.values);
  const std::int64_t rows = query.size(0), queries = query.size(1);
  if (rows == weights.size(0)) return {context, weights, {}};
  return {reshape(context, {rows, queries, context.size(2)}), reshape(weights, {rows, queries, weights.size(2)}), {}};
}

}  // namespace attention
}  // namespace weft::nn
