#pragma once
#include <cstdint>
#include <optional>

#include "weft/nn/buffer.hpp"
#include "weft/nn/module.hpp"
#include "weft/nn/weight.hpp"

namespace weft::nn {

struct BatchNormOptions {
  std::int64_t num_features = 0;  ///< channels
  double eps = 1e-5;
  std::optional<double> momentum = 0.1;  ///< share of the batch in the new running values; none: their plain mean over batches
  bool affine = true;
  bool track_running_stats = true;  ///< otherwise evaluation normalises by the batch, too
};

/// What BatchNorm1d and BatchNorm2d have in common, under PyTorch's names: parameters, running statistics.
struct BatchNormState {
  Weight weight, bias;               ///< [num_features], or none without affine; they start as 1 and 0
  Buffer running_mean, running_var;  ///< [num_features], or none without track_running_stats; they start as 0 and 1
  Buffer num_batches_tracked;        ///< i64 []: batches that the running values have seen
};

// (x - mean) / sqrt(variance + eps) * weight + bias for each channel (Ioffe & Szegedy 2015). In training mode by the batch's
// own mean and variance, and where a tape records the running ones are moved towards them, once a call; in evaluation mode by
// the running ones, which are saved with the model.
//
// lengths (i64 or i32 [N], undefined: all of it) count along axis 2, the first behind the channels: what stands behind them is
// in no statistic, is never read, and comes out as zeros.
// Throw ShapeError for an input or lengths of another shape, ValueError for lengths out of range and for training with one
// value a channel, DTypeError.

/// x [N, C], or a sequence [N, C, L].
class BatchNorm1d : public Module<BatchNorm1d>, public BatchNormState {
 public:
  /// Throws ValueError for options out of range.
  explicit BatchNorm1d(const BatchNormOptions& options, const Scope& scope = {});

  Var forward(const Var& x, const Tensor& lengths = {});

 private:
  BatchNormOptions options_;
};

/// x [N, C, H, W]; lengths count rows of the image, the steps of a sequence of spectra.
class BatchNorm2d : public Module<BatchNorm2d>, public BatchNormState {
 public:
  /// Throws ValueError for options out of range.
  explicit BatchNorm2d(const BatchNormOptions& options, const Scope& scope = {});

  Var forward(const Var& x, const Tensor& lengths = {});

 private:
  BatchNormOptions options_;
};

}  // namespace weft::nn
