#pragma once
#include <cstdint>

#include "weft/nn/module.hpp"
#include "weft/nn/weight.hpp"
#include "weft/ops/size2d.hpp"

namespace weft::nn {

struct Conv1dOptions {
  std::int64_t in_channels = 0;
  std::int64_t out_channels = 0;
  std::int64_t kernel_size = 0;
  std::int64_t stride = 1;
  std::int64_t padding = 0;   ///< zeros put before and behind
  std::int64_t dilation = 1;  ///< distance of the kernel's elements
  std::int64_t groups = 1;    ///< channels are cut into so many parts that don't see each other
  bool bias = true;
};

struct Conv2dOptions {
  std::int64_t in_channels = 0;
  std::int64_t out_channels = 0;
  Size2d kernel_size = 0;
  Size2d stride = 1;
  Size2d padding = 0;
  Size2d dilation = 1;
  std::int64_t groups = 1;
  bool bias = true;
};

// Convolutions with a learned kernel, PyTorch's names and its first values, uniform within 1 / sqrt(in_channels / groups *
// kernel_size).
//
// lengths (i64 or i32 [N], undefined: all of it) count along axis 2, the first behind the channels: what stands behind them
// counts as zeros, and so a row gives what it gives alone; output_lengths says how far. Behind that the output is zeros.
// Throw ValueError for options or lengths out of range, ShapeError and DTypeError for what doesn't fit.

/// x [N, in_channels, L] -> [N, out_channels, (L + 2 padding - dilation (kernel_size - 1) - 1) / stride + 1], rounded down.
class Conv1d : public Module<Conv1d> {
 public:
  explicit Conv1d(const Conv1dOptions& options, const Scope& scope = {});

  Var forward(const Var& x, const Tensor& lengths = {});
  /// How many steps come out of each row (i64 [N]).
  Tensor output_lengths(const Tensor& lengths) const;

  Weight weight;  ///< [out_channels, in_channels / groups, kernel_size]
  Weight bias;    ///< [out_channels], or none

 private:
  Conv1dOptions options_;
};

/// The same in two dimensions: x [N, in_channels, H, W]; lengths count along H, the steps of a sequence of spectra.
class Conv2d : public Module<Conv2d> {
 public:
  explicit Conv2d(const Conv2dOptions& options, const Scope& scope = {});

  Var forward(const Var& x, const Tensor& lengths = {});
  /// How many rows of the image come out of each (i64 [N]).
  Tensor output_lengths(const Tensor& lengths) const;

  Weight weight;  ///< [out_channels, in_channels / groups, kernel height, kernel width]
  Weight bias;    ///< [out_channels], or none

 private:
  Conv2dOptions options_;
};

}  // namespace weft::nn
