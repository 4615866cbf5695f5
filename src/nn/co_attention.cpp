#include "weft/nn/co_attention.hpp"

#include "base/fail.hpp"
#include "nn/heads.hpp"
#include "nn/padding.hpp"
#include "nn/unbiased.hpp"
#include "ops/lengths.hpp"
#include "weft/ops/elementwise.hpp"
#include "weft/ops/index.hpp"
#include "weft/ops/matmul.hpp"
#include "weft/ops/shape.hpp"
#include "weft/ops/softmax.hpp"

namespace weft::nn {
namespace {

constexpr const char* op = "CoAttention";

CoAttentionOptions checked(const CoAttentionOptions& o) {
  check<ValueError>(o.first_dim > 0 && o.second_dim > 0 && o.hidden > 0, op,
                    "first_dim is {}, second_dim {} and hidden {}; each must be positive", o.first_dim, o.second_dim, o.hidden);
  return o;
}

// Scores [batch, places, 1] to weights [batch, places].
Var shares(const Var& scores, const Tensor& lengths, const Var& x) {
  const Tensor ends = checked_lengths(op, lengths, "sequence", x.value(), 1);
  return ends.defined() ? masked_softmax(squeeze(scores, 2), sequence_mask(ends, x.size(1))) : softmax(squeeze(scores, 2), 1);
}

Var mean_by(const Var& weights, const Var& x) { return squeeze(matmul(unsqueeze(weights, 1), x), 1); }

}  // namespace

CoAttention::CoAttention(const CoAttentionOptions& options, const Scope& scope)
    : Module(scope),
      affinity(unbiased(checked(options).first_dim, options.second_dim), {this, "affinity"}),
      first(unbiased(options.first_dim, options.hidden), {this, "first"}),
      second(unbiased(options.second_dim, options.hidden), {this, "second"}),
      first_score(unbiased(options.hidden, 1), {this, "first_score"}),
      second_score(unbiased(options.hidden, 1), {this, "second_score"}),
      options_(options) {}

// Zeros behind the lengths stay zeros in every product, as nothing has a bias.
CoAttentionOutput CoAttention::forward(const Var& one, const Var& other, const Tensor& first_lengths,
                                       const Tensor& second_lengths) {
  check_places(op, "first sequence", one, options_.first_dim, *affinity.weight);
  check_places(op, "second sequence", other, options_.second_dim, *affinity.weight);
  check<ShapeError>(one.size(0) == other.size(0), op, "sequences {} and {} differ in rows", one.value(), other.value());
  const Var v = without_padding(one, first_lengths, op), q = without_padding(other, second_lengths, op);
  const Var together = tanh(matmul(q, transpose(affinity(v), 1, 2)));  // C [batch, m, n]
  const Var from_v = first(v), from_q = second(q);
  CoAttentionOutput result;
  result.first_weights = shares(first_score(tanh(from_v + matmul(transpose(together, 1, 2), from_q))), first_lengths, v);
  result.second_weights = shares(second_score(tanh(from_q + matmul(together, from_v))), second_lengths, q);
  result.first = mean_by(result.first_weights, v);
  result.second = mean_by(result.second_weights, q);
  return result;
}

}  // namespace weft::nn
