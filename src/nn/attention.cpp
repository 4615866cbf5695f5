#include "weft/nn/attention.hpp"

#include <cmath>

#include "base/fail.hpp"
#include "weft/ops/elementwise.hpp"
#include "weft/ops/index.hpp"
#include "weft/ops/matmul.hpp"
#include "weft/ops/shape.hpp"
#include "weft/ops/softmax.hpp"

namespace weft::nn {

AttentionMemory AttentionMemory::select(const Tensor& index) const {
  return {index_select(keys, 0, index), index_select(values, 0, index),
          mask.defined() ? index_select(Var(mask), 0, index).value() : Tensor()};
}

namespace attention {
namespace {

constexpr const char* op = "attention";

LinearOptions plain(std::int64_t in, std::int64_t out) { return {.in_features = in, .out_features = out, .bias = false}; }

Var kept(const Var& x, const Tensor& mask) {
  return mask.defined() ? where(mask.unsqueeze(2), x, Var::scalar(0, x.dtype())) : x;
}

bool same(const Var& a, const Var& b) { return a.value().is_same(b.value()) && a.slot() == b.slot(); }

}  // namespace

Attention::Attention(std::int64_t query_size, std::int64_t key_size, const Scope& scope)
    : Module(scope), query_size_(query_size), key_size_(key_size) {}

AttentionMemory Attention::remember(const Var& keys, const Var& values, const Tensor& mask) {
  const ScopeGuard scope(path());
  check<ShapeError>(keys.rank() == 3 && (key_size_ == 0 || keys.size(2) == key_size_), op,
                    "keys {} are not [batch, places, {}]", keys.value(), key_size_ == 0 ? "size" : fmt::to_string(key_size_));
  check<ShapeError>(values.rank() == 3 && values.size(0) == keys.size(0) && values.size(1) == keys.size(1), op,
                    "values {} don't fit keys {}: batch and places differ", values.value(), keys.value());
  check<ShapeError>(!mask.defined() || mask.shape() == Shape{keys.size(0), keys.size(1)}, op,
                    "mask {} doesn't fit keys {}: [batch, places] is needed", mask, keys.value());
  check<DTypeError>(!mask.defined() || mask.dtype() == boolean, op, "mask {} must be bool", mask);
  const Var clean = kept(values, mask);
  return {prepare(same(keys, values) ? clean : kept(keys, mask)), clean, mask};
}

AttentionOutput Attention::forward(const Var& query, const AttentionMemory& memory) {
  check<ShapeError>(
      query.rank() == 3 && query.size(0) == memory.keys.size(0) && (query_size_ == 0 || query.size(2) == query_size_), op,
      "query {} is not [{}, queries, {}]", query.value(), memory.keys.size(0),
      query_size_ == 0 ? memory.keys.size(1) : query_size_);
  const Var raw = scores(query, memory.keys);
  const Var weights = memory.mask.defined() ? masked_softmax(raw, memory.mask.unsqueeze(1)) : softmax(raw, -1);
  return {matmul(weights, memory.values), weights};
}

AttentionOutput Attention::forward(const Var& query, const Var& keys, const Var& values, const Tensor& mask) {
  return forward(query, remember(keys, values, mask));
}

Dot::Dot(const DotOptions& options, const Scope& scope) : Attention(0, 0, scope), scaled_(options.scaled) {}

Var Dot::prepare(const Var& keys) { return transpose(keys, 1, 2); }

Var Dot::scores(const Var& query, const Var& keys) {
  const std::int64_t size = keys.size(1);
  if (query.size(2) != size)
    fail<ShapeError>(op, "query {} and keys {} differ in size", query.value(), keys.value().transpose(1, 2));
  if (scaled_ && size == 0)
    fail<ShapeError>(op, "keys {} have the size 0; the scale 1 / sqrt(size) doesn't exist", keys.value().transpose(1, 2));
  const Var raw = matmul(query, keys);
  return scaled_ ? raw * (1 / std::sqrt(static_cast<double>(size))) : raw;
}

General::General(const GeneralOptions& options, const Scope& scope)
    : Attention(options.query_dim, options.key_dim, scope), query(plain(options.query_dim, options.key_dim), {this, "query"}) {}

Var General::prepare(const Var& keys) { return transpose(keys, 1, 2); }

Var General::scores(const Var& queries, const Var& keys) { return matmul(query(queries), keys); }

Additive::Additive(const AdditiveOptions& options, const Scope& scope)
    : Attention(options.query_dim, options.key_dim, scope),
      query(plain(options.query_dim, options.hidden), {this, "query"}),
      key(plain(options.key_dim, options.hidden), {this, "key"}),
      score(plain(options.hidden, 1), {this, "score"}) {}

Var Additive::prepare(const Var& keys) { return key(keys); }

Var Additive::scores(const Var& queries, const Var& keys) {
  return squeeze(score(tanh(unsqueeze(query(queries), 2) + unsqueeze(keys, 1))), 3);
}

}  // namespace attention
}  // namespace weft::nn
