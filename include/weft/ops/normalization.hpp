#pragma once
#include <cstdint>
#include <optional>

#include "weft/autograd/var.hpp"

namespace weft {

/// (x - mean) / sqrt(variance + eps) * weight + bias over the last dimension n of x [..., n] (Ba 2016); weight and bias [n] or
/// undefined. The variance is that of the row, divided by n. Throws ShapeError, DTypeError, ValueError for eps < 0,
/// NumericError for a constant row where eps is 0.
Var layer_norm(const Var& x, const Var& weight = {}, const Var& bias = {}, double eps = 1e-5);

/// x / sqrt(mean of x^2 + eps) * weight over the last dimension n of x [..., n] (Zhang and Sennrich 2019); weight [n] or
/// undefined. Without an eps it is the dtype's machine epsilon. Throws ShapeError, DTypeError, ValueError for eps < 0.
Var rms_norm(const Var& x, const Var& weight = {}, std::optional<double> eps = std::nullopt);

struct BatchNormOptions {
  bool training = false;  ///< normalise by the batch's own mean and variance; otherwise by the running ones
  double momentum = 0.1;  ///< share of the batch in the new running values
  double eps = 1e-5;
};

/// (x - mean) / sqrt(variance + eps) * weight + bias for each channel of x [N, C, ...] (Ioffe and Szegedy 2015); weight, bias,
/// running_mean and running_var [C] or undefined, the last two needed where not training. In training, where a tape records,
/// the running values are moved in place towards the batch's, once a call; their variance is divided by n - 1. Throws
/// ShapeError, DTypeError, ValueError for eps < 0, a momentum outside [0, 1], or training with one value a channel.
Var batch_norm(const Var& x, Tensor running_mean, Tensor running_var, const Var& weight = {}, const Var& bias = {},
               const BatchNormOptions& options = {});

/// The channels of x [N, C, ...] in `num_groups` groups, each sample's group normalised together, then times weight plus bias
/// by channel (Wu and He 2018); weight and bias [C] or undefined. Throws ShapeError, DTypeError, ValueError for eps < 0 or a
/// number of groups that doesn't divide the channels.
Var group_norm(const Var& x, std::int64_t num_groups, const Var& weight = {}, const Var& bias = {}, double eps = 1e-5);

}  // namespace weft
