#include "weft/nn/lightweight_conv.hpp"

#include "base/fail.hpp"
#include "nn/conv_mixing.hpp"
#include "nn/padding.hpp"
#include "weft/ops/dropout.hpp"
#include "weft/ops/shape.hpp"
#include "weft/ops/softmax.hpp"

namespace weft::nn {
namespace {

constexpr const char* op = "LightweightConv";

}  // namespace

LightweightConv::LightweightConv(const ConvMixingOptions& options, const Scope& scope)
    : Module(scope),
      linear1(conv_mixing_layer(checked(op, options), 2), {this, "linear1"}),
      weight(this, "weight", Shape{options.num_heads, options.kernel_size}, init::xavier_uniform()),
      linear2(conv_mixing_layer(options, 1), {this, "linear2"}),
      options_(options) {}

MixingOutput LightweightConv::forward(const Var& x, const AttentionMask& mask, AttentionWeights weights, Padding padding) {
  check_operands(op, options_, x, mask);
  const Var clean = padding == Padding::finite ? x : without_padding(x, mask.lengths, op);
  const Var gated = without_padding(gated_linear_unit(linear1(clean)), mask.lengths, op);
  const Var shares = reshape(softmax(weight, -1), {1, 1, options_.num_heads, options_.kernel_size});
  const Var applied = training() ? dropout(shares, options_.dropout) : shares;
  return {linear2(convolve(gated, applied, mask.causal)), weights_between(x, shares, mask, weights)};
}

Var LightweightConv::mix(const Var& x, const AttentionMask& mask, Padding padding) {
  return (*this)(x, mask, AttentionWeights::none, padding).output;
}

MixingStep LightweightConv::step(const Var& x, const AttentionCache& cache) {
  const ScopeGuard scope(path());
  check_operands(op, options_, x, {});
  const Var gated = gated_linear_unit(linear1(x)), before = places_before(op, cache, gated, options_.kernel_size);
  const Var shares = reshape(softmax(weight, -1), {1, 1, options_.num_heads, options_.kernel_size});
  const Var applied = training() ? dropout(shares, options_.dropout) : shares;
  return {linear2(convolve_after(before, gated, applied)), kept_places(before, gated)};
}

}  // namespace weft::nn
