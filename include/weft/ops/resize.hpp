#pragma once
#include "weft/autograd/var.hpp"
#include "weft/ops/size2d.hpp"

namespace weft {

/// Factors for height and width; one number stands for both.
struct Scale2d {
  constexpr Scale2d(double both) : Scale2d(both, both) {}  // NOLINT(google-explicit-constructor): 2 for {2, 2}
  constexpr Scale2d(double height_, double width_) : height(height_), width(width_) {}

  double height, width;
};

/// One of the two; the other stays 0. An input with one dimension takes one number.
struct InterpolateOptions {
  Size2d size = 0;           ///< of the result
  Scale2d scale_factor = 0;  ///< the result's size is the input's times it, rounded down
};

/// x [N, C, length] or [N, C, height, width] in another size, each element that of the nearest place before it: floor(i /
/// scale). Throws ShapeError for other shapes and empty sizes, DTypeError, ValueError unless exactly one option is given and
/// positive.
Var interpolate(const Var& x, const InterpolateOptions& options);

}  // namespace weft
