#pragma once
#include <cstdint>

#include "weft/autograd/var.hpp"
#include "weft/ops/size2d.hpp"

namespace weft {

struct Conv1dOptions {
  std::int64_t stride = 1;
  std::int64_t padding = 0;   ///< zeros put before and behind
  std::int64_t dilation = 1;  ///< distance of the kernel's elements
  std::int64_t groups = 1;    ///< channels are cut into so many parts that don't see each other
};

struct Conv2dOptions {
  Size2d stride = 1;
  Size2d padding = 0;
  Size2d dilation = 1;
  std::int64_t groups = 1;
};

struct ConvTranspose1dOptions {
  std::int64_t stride = 1;
  std::int64_t padding = 0;         ///< taken away from both ends
  std::int64_t output_padding = 0;  ///< added at the end; less than stride or dilation
  std::int64_t dilation = 1;
  std::int64_t groups = 1;
};

struct ConvTranspose2dOptions {
  Size2d stride = 1;
  Size2d padding = 0;
  Size2d output_padding = 0;
  Size2d dilation = 1;
  std::int64_t groups = 1;
};

// Convolutions (cross-correlations, as in PyTorch) of x [N, C, length] or [N, C, height, width], N may be missing. Padding
// counts as zeros. Derivatives of every order. Throw ShapeError naming the shapes, DTypeError, ValueError for an option out
// of range.

/// weight [out, C / groups, kernel], bias [out] or undefined -> [N, out, (length + 2 padding - dilation (kernel - 1) - 1) /
/// stride + 1], rounded down.
Var conv1d(const Var& x, const Var& weight, const Var& bias = {}, const Conv1dOptions& options = {});
/// The same in two dimensions; weight [out, C / groups, kernel height, kernel width].
Var conv2d(const Var& x, const Var& weight, const Var& bias = {}, const Conv2dOptions& options = {});

/// The transposed map: what conv1d's gradient does. weight [C, out / groups, kernel], bias [out] or undefined -> [N, out,
/// (length - 1) stride - 2 padding + dilation (kernel - 1) + output_padding + 1].
Var conv_transpose1d(const Var& x, const Var& weight, const Var& bias = {}, const ConvTranspose1dOptions& options = {});
/// The same in two dimensions; weight [C, out / groups, kernel height, kernel width].
Var conv_transpose2d(const Var& x, const Var& weight, const Var& bias = {}, const ConvTranspose2dOptions& options = {});

}  // namespace weft
