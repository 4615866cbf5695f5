#pragma once
#include <functional>

#include "weft/nn/lightweight_conv.hpp"

namespace weft::nn {

// What lightweight and dynamic convolutions share. Their weights are [batch or 1, places or 1, heads, kernel_size].

ConvMixingOptions checked(const char* op, const ConvMixingOptions& options);
LinearOptions conv_mixing_layer(const ConvMixingOptions& options, std::int64_t times);

/// One of them: linear1, a gated linear unit (Dauphin et al. 2017), the convolution by kernels(gated), linear2.
struct ConvMixing {
  const char* op;
  const ConvMixingOptions& options;
  Linear &linear1, &linear2;
  bool training;
  bool shared;                                   ///< the kernels are all rows' in common, and so is what dropout draws
  std::function<Var(const Var& gated)> kernels;  ///< before dropout

  MixingOutput forward(const Var& x, const AttentionMask& mask, AttentionWeights weights, Padding padding) const;
  MixingStep step(const Var& x, const AttentionCache& cache) const;

 private:
  Var applied(const Var& shares) const;
  void check_operands(const Var& x, const AttentionMask& mask) const;
};

}  // namespace weft::nn
