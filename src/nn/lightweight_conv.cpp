#include "weft/nn/lightweight_conv.hpp"

#include "base/fail.hpp"
#include "nn/conv_mixing.hpp"
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

ConvMixing LightweightConv::mixing() {
  return {op, options_, linear1, linear2, training(), true, [this](const Var&) {
            return reshape(softmax(weight, -1), {1, 1, options_.num_heads, options_.kernel_size});
          }};
}

MixingOutput LightweightConv::forward(const Var& x, const AttentionMask& mask, AttentionWeights weights, Padding padding) {
  return mixing().forward(x, mask, weights, padding);
}

Var LightweightConv::mix(const Var& x, const AttentionMask& mask, Padding padding) {
  return (*this)(x, mask, AttentionWeights::none, padding).output;
}

MixingStep LightweightConv::step(const Var& x, const AttentionCache& cache) {
  return run([&] { return mixing().step(x, cache); });
}

}  // namespace weft::nn
