#pragma once
#include "weft/nn/lightweight_conv.hpp"

namespace weft::nn {

// What lightweight and dynamic convolutions share. Their weights are [batch or 1, places or 1, heads, kernel_size].

ConvMixingOptions checked(const char* op, const ConvMixingOptions& options);
LinearOptions conv_mixing_layer(const ConvMixingOptions& options, std::int64_t times);

/// Throws unless x [batch, places, embed_dim] and its mask can be convolved.
void check_operands(const char* op, const ConvMixingOptions& options, const Var& x, const AttentionMask& mask);

/// GLU (Dauphin et al. 2017): one half of the last dimension times the sigmoid of the other.
Var gated_linear_unit(const Var& x);

/// sum_k weights[..., k] x[t + k - left] for gated x [batch, places, embed_dim], zeros around it; or behind the kernel_size - 1
/// places of `before`, causally.
Var convolve(const Var& gated, const Var& weights, bool causal);
Var convolve_after(const Var& before, const Var& gated, const Var& weights);

/// The weights of x's places for each other [batch, heads, places, places], or averaged [batch, places, places].
Var weights_between(const Var& x, const Var& weights, const AttentionMask& mask, AttentionWeights kind);

/// The last kernel_size - 1 places that a cache keeps; zeros at the beginning.
Var places_before(const char* op, const AttentionCache& cache, const Var& gated, std::int64_t kernel_size);
AttentionCache kept_places(const Var& before, const Var& gated);

}  // namespace weft::nn
