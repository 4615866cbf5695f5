#include "nn/conv_mixing.hpp"

#include "base/fail.hpp"
#include "nn/heads.hpp"
#include "nn/padding.hpp"
#include "ops/distances.hpp"
#include "ops/dropout_draw.hpp"
#include "weft/ops/arrange.hpp"
#include "weft/ops/elementwise.hpp"
#include "weft/ops/index.hpp"
#include "weft/ops/reduce.hpp"
#include "weft/ops/shape.hpp"

namespace weft::nn {
namespace {

// Places before a place that a kernel of `size` reaches.
std::int64_t reach_back(std::int64_t size, bool causal) { return causal ? size - 1 : (size - 1) / 2; }

// One product for each place of the kernel: nothing but views of x is kept for backward, and no matrix of windows is made.
Var sum_of_windows(const Var& padded, const Var& weights, std::int64_t places) {
  const std::int64_t heads = weights.size(2);
  const Var x = reshape(padded, {padded.size(0), padded.size(1), heads, padded.size(2) / heads});
  Var total;
  for (std::int64_t k = 0; k < weights.size(3); ++k) {
    const Var part = slice(x, 1, k, k + places) * unsqueeze(select(weights, 3, k), 3);
    total = total.defined() ? total + part : part;
  }
  return reshape(total, {padded.size(0), places, padded.size(2)});
}

Var gated_linear_unit(const Var& x) {
  const PoolVector<Var> halves = split(x, {x.size(-1) / 2, x.size(-1) / 2}, -1);
  return halves[0] * sigmoid(halves[1]);
}

Var convolve(const Var& gated, const Var& weights, bool causal) {
  const std::int64_t size = weights.size(3), back = reach_back(size, causal);
  return sum_of_windows(pad(gated, {0, 0, back, size - 1 - back}), weights, gated.size(1));
}

Var convolve_after(const Var& before, const Var& gated, const Var& weights) {
  return sum_of_windows(concat({before, gated}, 1), weights, gated.size(1));
}

Var weights_between(const Var& x, const Var& weights, const AttentionMask& mask, AttentionWeights kind) {
  if (kind == AttentionWeights::none) return {};
  const std::int64_t places = x.size(1), size = weights.size(3), back = reach_back(size, mask.causal);
  const Var each = expand(transpose(weights, 1, 2), {x.size(0), weights.size(2), places, size});
  // By distance, of which a kernel may have more than there are.
  const Var wide = places == 0 ? slice(each, 3, 0, 0) : pad(each, {places - 1 - back, places - size + back});
  Var between = by_key(wide, places);
  if (mask.lengths.defined()) {
    const Tensor within = sequence_mask(mask.lengths, places).unsqueeze(1).unsqueeze(1);
    between = where(within, between, Var::scalar(0, between.dtype()));
  }
  return kind == AttentionWeights::averaged ? mean(between, {1}) : between;
}

Var places_before(const char* op, const AttentionCache& cache, const Var& gated, std::int64_t kernel_size) {
  check<ShapeError>(!cache.values.defined(), op, "the cache for input {} has values {}, which another mixing has kept",
                    gated.value(), cache.values.defined() ? cache.values.value() : Tensor());
  if (!cache.keys.defined()) return Tensor::zeros({gated.size(0), kernel_size - 1, gated.size(2)}, gated.dtype());
  check<ShapeError>(cache.keys.shape() == Shape{gated.size(0), 1, kernel_size - 1, gated.size(2)}, op,
                    "the cache {} doesn't fit input {} and a kernel of {}", cache.keys.value(), gated.value(), kernel_size);
  check<DTypeError>(cache.keys.dtype() == gated.dtype(), op, "the cache {} and input {} differ in dtype", cache.keys.value(),
                    gated.value());
  return squeeze(cache.keys, 1);
}

AttentionCache kept_places(const Var& before, const Var& gated) {
  const Var all = concat({before, gated}, 1);
  return {unsqueeze(slice(all, 1, gated.size(1), all.size(1)), 1), {}};
}

}  // namespace

ConvMixingOptions checked(const char* op, const ConvMixingOptions& o) {
  check_heads(op, o.embed_dim, o.num_heads);
  check<ValueError>(o.kernel_size > 0, op, "kernel_size is {}; it must be positive", o.kernel_size);
  check<ValueError>(o.dropout >= 0 && o.dropout < 1, op, "dropout is {}; it must be in [0, 1)", o.dropout);
  return o;
}

LinearOptions conv_mixing_layer(const ConvMixingOptions& o, std::int64_t times) {
  return {.in_features = o.embed_dim, .out_features = times * o.embed_dim, .bias = o.bias, .weight_init = o.weight_init};
}

void ConvMixing::check_operands(const Var& x, const AttentionMask& mask) const {
  check_places(op, "input", x, options.embed_dim, *linear1.weight);
  check<ValueError>(!mask.allowed.defined(), op,
                    "a mask {} of pairs of places can't be followed for input {}; give lengths, and `causal`", mask.allowed,
                    x.value());
}

Var ConvMixing::applied(const Var& shares) const {
  return training ? dropout(shares, options.dropout, shared ? 0 : 1) : shares;
}

MixingOutput ConvMixing::forward(const Var& x, const AttentionMask& mask, AttentionWeights weights, Padding padding) const {
  check_operands(x, mask);
  const Var clean = padding == Padding::finite ? x : without_padding(x, mask.lengths, op);
  const Var gated = without_padding(gated_linear_unit(linear1(clean)), mask.lengths, op), shares = kernels(gated);
  return {linear2(convolve(gated, applied(shares), mask.causal)), weights_between(x, shares, mask, weights)};
}

MixingStep ConvMixing::step(const Var& x, const AttentionCache& cache) const {
  check_operands(x, {});
  const Var gated = gated_linear_unit(linear1(x)), before = places_before(op, cache, gated, options.kernel_size);
  return {linear2(convolve_after(before, gated, applied(kernels(gated)))), kept_places(before, gated)};
}

}  // namespace weft::nn
