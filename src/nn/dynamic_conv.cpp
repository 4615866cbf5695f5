#include "weft/nn/dynamic_conv.hpp"

#include "base/fail.hpp"
#include "nn/conv_mixing.hpp"
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

ConvMixing DynamicConv::mixing() {
  return {op, options_, linear1, linear2, training(), false, [this](const Var& gated) { return kernels(gated); }};
}

MixingOutput DynamicConv::forward(const Var& x, const AttentionMask& mask, AttentionWeights weights, Padding padding) {
  return mixing().forward(x, mask, weights, padding);
}

Var DynamicConv::mix(const Var& x, const AttentionMask& mask, Padding padding) {
  return (*this)(x, mask, AttentionWeights::none, padding).output;
}

MixingStep DynamicConv::step(const Var& x, const AttentionCache& cache) {
  return run([&] { return mixing().step(x, cache); });
}

}  // namespace weft::nn
