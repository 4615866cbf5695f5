#pragma once
#include <cstdint>
#include <functional>

#include "weft/autograd/var.hpp"

namespace weft::explain {

struct IntegratedGradientsOptions {
  Tensor baseline = {};            ///< where the path starts, in the input's shape and dtype; undefined: zeros
  double tolerance = 1e-3;         ///< largest error of completeness, as a share of the sum of the attributions' magnitudes
  std::int64_t steps = 32;         ///< points on the path; doubled until completeness holds
  std::int64_t most_steps = 4096;  ///< at which it gives up
};

struct IntegratedGradients {
  Tensor attributions;    ///< in the input's shape
  double difference = 0;  ///< f(input) - f(baseline), which the attributions add up to
  double error = 0;       ///< how far their sum is from it
  std::int64_t steps = 0;
};

/// Integrated gradients (Sundararajan et al. 2017): the gradient along the straight way from a baseline x' to the input x,
///   a = (x - x') * integral over t from 0 to 1 of df/dx (x' + t (x - x')),
/// by the midpoint rule. `f` as in `gradient_times_input`, of the input's shape. Throws NumericError where completeness
/// doesn't hold with most_steps or f isn't finite, ValueError for steps or a tolerance that aren't positive, ShapeError and
/// DTypeError for a baseline unlike the input, ShapeError where f gives more than one element, TapeError where it draws random
/// numbers.
IntegratedGradients integrated_gradients(const std::function<Var(const Var&)>& f, const Tensor& input,
                                         const IntegratedGradientsOptions& options = {});

}  // namespace weft::explain
