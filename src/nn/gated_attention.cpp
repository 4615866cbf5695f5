#include "weft/nn/gated_attention.hpp"

#include <algorithm>

#include "base/fail.hpp"
#include "nn/heads.hpp"
#include "nn/padding.hpp"
#include "ops/attention_mask.hpp"
#include "ops/lengths.hpp"
#include "weft/nn/attention_recorder.hpp"
#include "weft/ops/activation.hpp"
#include "weft/ops/dropout.hpp"
#include "weft/ops/elementwise.hpp"
#include "weft/ops/matmul.hpp"
#include "weft/ops/reduce.hpp"
#include "weft/ops/shape.hpp"

namespace weft::nn {
namespace {

constexpr const char* op = "GatedAttentionUnit";

GatedAttentionUnitOptions checked(GatedAttentionUnitOptions o) {
  check<ValueError>(o.embed_dim > 0 && o.hidden >= 0 && o.key_dim > 0, op,
                    "embed_dim is {}, hidden {} and key_dim {}; each must be positive (hidden 0: twice embed_dim)", o.embed_dim,
                    o.hidden, o.key_dim);
  check<ValueError>(o.dropout >= 0 && o.dropout < 1, op, "dropout is {}; it must be in [0, 1)", o.dropout);
  if (o.hidden == 0) o.hidden = 2 * o.embed_dim;
  return o;
}

// Of each query, 1 where there are none: [batch or 1, queries or 1, 1].
Var number_of_keys(const Tensor& open, std::int64_t keys, DType dtype) {
  if (!open.defined()) return Var::scalar(static_cast<double>(std::max<std::int64_t>(keys, 1)), dtype);
  return clamp(sum(Var(open.expand({open.size(0), open.size(1), keys}).to(dtype)), {2}, true), 1, {});
}

}  // namespace

GatedAttentionUnit::GatedAttentionUnit(const GatedAttentionUnitOptions& options, const Scope& scope)
    : Module(scope),
      in_proj({.in_features = checked(options).embed_dim,
               .out_features = 2 * checked(options).hidden + options.key_dim,
               .bias = options.bias,
               .weight_init = options.weight_init},
              {this, "in_proj"}),
      gamma(this, "gamma", Shape{2, options.key_dim}, init::ones()),
      beta(this, "beta", Shape{2, options.key_dim}, init::zeros()),
      out_proj({.in_features = checked(options).hidden,
                .out_features = options.embed_dim,
                .bias = options.bias,
                .weight_init = options.weight_init},
               {this, "out_proj"}),
      options_(checked(options)) {}

GatedAttentionUnit::Parts GatedAttentionUnit::parts(const Var& x) {
  const PoolVector<Var> uvz = split(silu(in_proj(x)), {options_.hidden, options_.hidden, options_.key_dim}, 2);
  const auto made = [&](std::int64_t i) { return uvz[2] * select(gamma, 0, i) + select(beta, 0, i); };
  return {uvz[0], made(0), made(1), uvz[1]};
}

MixingOutput GatedAttentionUnit::attend(const Parts& p, const AttentionMask& mask) {
  const std::int64_t queries = p.query.size(1), keys = p.key.size(1);
  const Tensor allowed = checked_allowed(op, mask.allowed, Shape{p.query.size(0), 1, queries, keys}),
               lengths = checked_lengths(op, mask.lengths, "input", p.key.value(), 1);
  Tensor open = combined_mask(allowed, lengths, mask.causal, queries, keys);
  if (open.defined()) open = open.select(1, 0);
  Var key = p.key, value = p.value;
  if (allowed.defined() || lengths.defined()) clear_unseen(open, key, value);
  Var weights = square(relu(matmul(p.query / number_of_keys(open, keys, p.query.dtype()), transpose(key, 1, 2))));
  if (open.defined()) weights = where(open, weights, Var::scalar(0, weights.dtype()));
  if (AttentionRecorder::alive()) AttentionRecorder::record(*this, weights.value().unsqueeze(1));
  const Var applied = training() ? dropout(weights, options_.dropout) : weights;
  return {out_proj(p.gate * matmul(applied, value)), weights};
}

MixingOutput GatedAttentionUnit::forward(const Var& x, const AttentionMask& mask, AttentionWeights weights, Padding padding) {
  check_places(op, "input", x, options_.embed_dim, *out_proj.weight);
  MixingOutput result = attend(parts(padding == Padding::finite ? x : without_padding(x, mask.lengths, op)), mask);
  if (weights == AttentionWeights::none) result.weights = {};
  if (weights == AttentionWeights::per_head) result.weights = unsqueeze(result.weights, 1);
  return result;
}

Var GatedAttentionUnit::mix(const Var& x, const AttentionMask& mask, Padding padding) {
  return (*this)(x, mask, AttentionWeights::none, padding).output;
}

MixingStep GatedAttentionUnit::step(const Var& x, const AttentionCache& cache) {
  return run([&]() -> MixingStep {
    check_places(op, "input", x, options_.embed_dim, *out_proj.weight);
    check_cache(op, x, cache, {{1, -1, options_.key_dim}, {1, -1, options_.hidden}});
    Parts p = parts(x);
    AttentionCache grown{behind(cache.keys, unsqueeze(p.key, 1), 2), behind(cache.values, unsqueeze(p.value, 1), 2)};
    p.key = squeeze(grown.keys, 1);
    p.value = squeeze(grown.values, 1);
    return {attend(p, {.causal = true}).output, std::move(grown)};
  });
}

}  // namespace weft::nn
