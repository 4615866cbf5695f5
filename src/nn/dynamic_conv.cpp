#include "weft/nn/dynamic_conv.hpp"

#include "base/fail.hpp"
#include "nn/conv_mixing.hpp"
#include "nn/padding.hpp"
#include "weft/ops/dropout.hpp"
#include "weft/ops/shape.hpp"
#include "weft/ops/softmax.hpp"

namespace weft::nn {
namespace {

constexpr const char* op = "DynamicConv";

}  // namespace

DynamicConv::DynamicConv(const ConvMixingOptions& options, const Scope& scope)
    : Module(scope),
      linear1(conv_mixing_layer(checked(op, options), 2), {this, "linear1"}),
      weight_linear({.in_features = options.embed_dim,
                     .out_features = options.num_heads * options.kernel_size,
                     .bias = false,
                     .weight_init = options.weight_init},
                    {this, "weight_linear"}),
      linear2(conv_mixing_layer(options, 1), {this, "linear2"}),
      options_(options) {}

// Each place's kernels [batch, places, heads, kernel_size]
Var DynamicConv::kernels(const Var& gated) {
  const Shape shape{gated.size(0), gated.size(1), options_.num_heads, options_.kernel_size};
  return softmax(reshape(weight_linear(gated), shape), -1);
}

MixingOutput DynamicConv::forward(const Var& x, const AttentionMask& mask, AttentionWeights weights, Padding padding) {
  check_operands(op, options_, x, mask);
  const Var clean = padding == Padding::finite ? x : without_padding(x, mask.lengths, op);
  const Var gated = without_padding(gated_linear_unit(linear1(clean)), mask.lengths, op), shares = kernels(gated);
  const Var applied = training() ? dropout(shares, options_.dropout) : shares;
  return {linear2(convolve(gated, applied, mask.causal)), weights_between(x, shares, mask, weights)};
}

Var DynamicConv::mix(const Var& x, const AttentionMask& mask, Padding padding) {
  return (*this)(x, mask, AttentionWeights::none, padding).output;
}

MixingStep DynamicConv::step(const Var& x, const AttentionCache& cache) {
  const ScopeGuard scope(path());
  check_operands(op, options_, x, {});
  const Var gated = gated_linear_unit(linear1(x)), before = places_before(op, cache, gated, options_.kernel_size);
  const Var shares = kernels(gated), applied = training() ? dropout(shares, options_.dropout) : shares;
  return {linear2(convolve_after(before, gated, applied)), kept_places(before, gated)};
}

}  // namespace weft::nn
