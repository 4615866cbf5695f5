#pragma once
#include <cstdint>
#include <functional>

#include "weft/tensor/tensor.hpp"

namespace weft::optim {

/// A place on the line x + t d.
struct LinePoint {
  double t = 0, loss = 0;
  double slope = 0;  ///< gradient times d
  Tensor gradient = {};
};

/// From `start` (t 0, slope below 0), a place where the strong Wolfe conditions hold, as PyTorch's _strong_wolfe finds it with
/// `first` as the first try; the lowest one of the bracket where 25 tries aren't enough or the bracket is narrower than
/// `least_change` in every element of d, the largest of which is `d_norm`. An infinite loss is too high, whatever the slope
/// there.
LinePoint strong_wolfe(const std::function<LinePoint(double t)>& evaluate, const LinePoint& start, double first, double d_norm,
                       double least_change);

}  // namespace weft::optim
