#include "weft/ops/attention.hpp"

#include <cmath>

#include "base/fail.hpp"
#include "kernels/attention.hpp"
#include "ops/attention_mask.hpp"
#include "ops/distances.hpp"
#include "ops/dropout_draw.hpp"
#include "ops/folded_attention.hpp"
#include "ops/guarded.hpp"
#include "ops/lengths.hpp"
#include "ops/matmul_transposed.hpp"
#include "weft/autograd/record.hpp"
#include "weft/ops/comparison.hpp"
#include "weft/ops/elementwise.hpp"
#include "weft/ops/index.hpp"
#include "weft/ops/matmul.hpp"
#include "weft/ops/reduce.hpp"
#include "weft/ops/shape.hpp"
#include "weft/ops/softmax.hpp"

namespace weft {
namespace {

using kernels::AttentionSettings;

constexpr const char* op = "scaled_dot_product_attention";

Var zero_like(const Var& x) { return Var::scalar(0, x.dtype()); }

/// The same with operations that make the weights in full, for weights that are asked for and for derivatives of derivatives.
struct Composite {
  Var query, key, value, bias, weights;  // key and value zeros where no length reaches
  Tensor mask;                           // undefined where nothing is closed
  const AttentionSettings& settings;

  Composite(const Var& q, const Var& k, const Var& v, const Var& distance_bias, const AttentionSettings& s)
      : query(q),
        key(before_lengths(k, s)),
        value(before_lengths(v, s)),
        bias(distance_bias),
        mask(combined_mask(s.allowed, s.lengths, s.causal, q.size(2), k.size(2))),
        settings(s) {
    Var scores = matmul_transposed(query, key) * s.scale;
    if (bias.defined()) scores = scores + spread(bias, q.size(2), k.size(2));
    weights = mask.defined() ? masked_softmax(scores, mask) : softmax(scores, -1);
  }

  static Var before_lengths(const Var& x, const AttentionSettings& s) {
    if (!s.lengths.defined()) return x;
    return where(sequence_mask(s.lengths, x.size(2)).unsqueeze(1).unsqueeze(3), x, zero_like(x));
  }

  Var open(const Var& x) const { return mask.defined() ? where(mask, x, zero_like(x)) : x; }
  Var dropped(const Var& x) const { return settings.draw ? dropout(x, *settings.draw) : x; }
  Var output() const { return matmul(dropped(weights), value); }

  // The rule of the fused operation over Vars: w = softmax(s), s = scale q k^T + bias, y = dropped(w) v
  void backward(Sink& sink, const Var& g) const {
    const Var incoming = open(dropped(matmul_transposed(g, value)));
    const Var of_scores = open(guarded_mul(incoming - sum(guarded_mul(incoming, weights), {-1}, true), weights));
    const Var ds = of_scores * settings.scale;
    if (sink.wants(0)) sink.add(0, matmul(ds, key));
    if (sink.wants(1)) sink.add(1, before_lengths(matmul(transpose(ds, 2, 3), query), settings));
    if (sink.wants(2)) sink.add(2, before_lengths(matmul(transpose(dropped(weights), 2, 3), g), settings));
    if (bias.defined() && sink.wants(3)) sink.add(3, sum(by_distance(of_scores), {2}));
  }
};

void check_operands(const Var& query, const Var& key, const Var& value) {
  check<ValueError>(query.defined() && key.defined() && value.defined(), op, "query {}, key {} and value {}: all need a value",
                    query.value(), key.value(), value.value());
  check<DTypeError>(is_floating(query.dtype()) && query.dtype() == key.dtype() && query.dtype() == value.dtype(), op,
                    "query {}, key {} and value {}: all must be f32 or all f64", query.value(), key.value(), value.value());
  check<ShapeError>(query.rank() == 4 && key.rank() == 4 && value.rank() == 4, op,
                    "query {}, key {} and value {}: each must be [batch, heads, length, size]", query.shape(), key.shape(),
                    value.shape());
  check<ShapeError>(key.size(0) == query.size(0) && key.size(1) == query.size(1) && key.size(3) == query.size(3), op,
                    "key {} doesn't fit query {}: batch, heads and head_dim must be equal", key.shape(), query.shape());
  check<ShapeError>(value.size(0) == key.size(0) && value.size(1) == key.size(1) && value.size(2) == key.size(2), op,
                    "value {} doesn't fit key {}: batch, heads and length must be equal", value.shape(), key.shape());
}

double scale_of(const AttentionOptions& options, const Var& query) {
  if (options.scale) {
    check<ValueError>(std::isfinite(*options.scale), op, "the scale is {}; it must be finite", *options.scale);
    return *options.scale;
  }
  check<ShapeError>(query.size(3) > 0, op, "query {} has the size 0; the scale 1 / sqrt(size) doesn't exist", query.shape());
  return 1 / std::sqrt(static_cast<double>(query.size(3)));
}

void check_bias(const Var& bias, const Var& query, const Var& key) {
  if (!bias.defined()) return;
  const Shape needed{query.size(1), std::max<std::int64_t>(query.size(2) + key.size(2) - 1, 0)};
  check<DTypeError>(bias.dtype() == query.dtype(), op, "distance_bias {} must be {}, as query {}", bias.value(),
                    name_of(query.dtype()), query.value());
  check<ShapeError>(bias.shape() == needed, op,
                    "distance_bias {} doesn't fit query {} and key {}: [heads, queries + keys - 1] = {} is needed",
                    bias.value(), query.value(), key.value(), needed);
}

// Queries that count for nothing and may be NaN are taken away as well: those without keys, and those whose scores are lost
// while only zeros come into their output.
Var without_silent(const Var& query, const Tensor& log_sums, const Tensor& incoming) {
  const Tensor sums = log_sums.unsqueeze(3), heard = any(ne(incoming, 0), {3}, true);
  return where(logical_or(isfinite(sums), logical_and(isnan(sums), heard)), query, zero_like(query));
}

Var fused(const Var& query, const Var& key, const Var& value, const Var& bias, const AttentionSettings& settings) {
  kernels::AttentionForward forward = kernels::attention(query.value(), key.value(), value.value(), settings);
  Tensor output = forward.output;
  return record(op, std::move(output), {&query, &key, &value, &bias},
                [query = Saved(query), key = Saved(key), value = Saved(value), bias = Saved(bias),
                 output = Saved(forward.output), largest = forward.largest, log_sums = forward.log_sums, settings,
                 allowed = Saved(settings.allowed), lengths = Saved(settings.lengths)](Sink& s) {
                  allowed.get(), lengths.get(), bias.get();  // unchanged
                  if (s.recording()) {
                    const Var counting = without_silent(query.get(), log_sums, s.grad().value());
                    return Composite(counting, key.get(), value.get(), bias.get(), settings).backward(s, s.grad());
                  }
                  const bool with_bias = bias.defined() && s.wants(3);
                  kernels::AttentionGradients gradients =
                      kernels::attention_backward(query.value(), key.value(), value.value(),
                                                  {output.value(), largest, log_sums}, s.grad().value(), settings, with_bias);
                  s.add(0, std::move(gradients.query));
                  s.add(1, std::move(gradients.key));
                  s.add(2, std::move(gradients.value));
                  if (with_bias) s.add(3, std::move(gradients.bias));
                });
}

}  // namespace

AttentionResult scaled_dot_product_attention(const Var& query, const Var& key, const Var& value, const AttentionMask& mask,
                                             const AttentionOptions& options) {
  return folded_attention(query, key, value, mask, options, 1, Closed::anything);
}

AttentionResult folded_attention(const Var& query, const Var& key, const Var& value, const AttentionMask& mask,
                                 const AttentionOptions& options, std::int64_t each, Closed closed) {
  check_operands(query, key, value);
  const Var& bias = options.distance_bias;
  check_bias(bias, query, key);
  const Shape weights{query.size(0), query.size(1), query.size(2), key.size(2)};
  check<ValueError>(options.dropout >= 0 && options.dropout < 1, op, "dropout is {}; it must be in [0, 1)", options.dropout);
  AttentionSettings settings{checked_allowed(op, mask.allowed, weights),
                             checked_lengths(op, mask.lengths, "key", key.value(), 2),
                             mask.causal,
                             scale_of(options, query),
                             {},
                             {}};
  settings.draw = next_draw(weights, options.dropout, each);
  if (bias.defined()) settings.bias = bias.value().contiguous();
  Var keys = key, values = value;
  if (settings.allowed.defined() && closed == Closed::anything) clear_unseen(settings.allowed, keys, values);
  if (options.need_weights) {
    const Composite whole(query, keys, values, bias, settings);
    return {whole.output(), whole.weights};
  }
  settings.allowed = settings.allowed.defined() ? settings.allowed.expand(weights) : Tensor();
  return {fused(query, keys, values, bias, settings), {}};
}

}  // namespace weft
