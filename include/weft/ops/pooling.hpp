#pragma once
#include "weft/autograd/var.hpp"
#include "weft/ops/size2d.hpp"

namespace weft {

struct MaxPool1dOptions {
  std::int64_t stride = 0;   ///< 0: the kernel's size
  std::int64_t padding = 0;  ///< at most half the kernel; padding is never chosen
};

struct MaxPool2dOptions {
  Size2d stride = 0;
  Size2d padding = 0;
};

struct AvgPool1dOptions {
  std::int64_t stride = 0;        ///< 0: the kernel's size
  std::int64_t padding = 0;       ///< at most half the kernel; zeros
  bool count_include_pad = true;  ///< divide by the kernel's size; otherwise by the elements that aren't padding
};

struct AvgPool2dOptions {
  Size2d stride = 0;
  Size2d padding = 0;
  bool count_include_pad = true;
};

// Windows of `kernel` elements over the last dimension of x [N, C, length], or the last two of [N, C, height, width]; N may be
// missing. There are (size + 2 padding - kernel) / stride + 1 of them, rounded down.
// Throw ShapeError for a kernel larger than the padded input, DTypeError, ValueError for an option out of range.

/// The largest element of each window; of equal ones the first has the gradient. NaN where there is one.
Var max_pool1d(const Var& x, std::int64_t kernel, const MaxPool1dOptions& options = {});
Var max_pool2d(const Var& x, Size2d kernel, const MaxPool2dOptions& options = {});

/// The mean of each window.
Var avg_pool1d(const Var& x, std::int64_t kernel, const AvgPool1dOptions& options = {});
Var avg_pool2d(const Var& x, Size2d kernel, const AvgPool2dOptions& options = {});

}  // namespace weft
