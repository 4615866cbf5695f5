#include "weft/optim/clip.hpp"

#include <cmath>

#include "autograd/profiler.hpp"
#include "base/fail.hpp"
#include "kernels/elementwise.hpp"
#include "kernels/optimizer.hpp"
#include "optim/own_gradient.hpp"

namespace weft::optim {

ClipResult clip_grad_norm(std::span<Parameter* const> parameters, double max_norm, const ClipOptions& options) {
  const detail::ProfiledCall profiled("clip_grad_norm", current_scope(), detail::Direction::forward);
  check<ValueError>(max_norm >= 0, "clip_grad_norm", "max_norm is {}, not at least 0", max_norm);
  for (const Parameter* parameter : parameters)
    check<ValueError>(parameter != nullptr, "clip_grad_norm", "a parameter is a null pointer");
  double sum = 0;
  for (Parameter* parameter : parameters) {
    if (!parameter->grad().defined()) continue;
    if (!parameter->grad().is_contiguous()) parameter->mutable_grad() = parameter->grad().contiguous();
    sum += kernels::sum_of_squares(parameter->grad());
    if (std::isfinite(sum)) continue;
    check<NumericError>(
        options.on_non_finite == NonFinite::skip, "clip_grad_norm",
        "the gradient of '{}' {} has the norm {}; look for a division by zero or an overflow, lower the learning "
        "rate, or skip such steps",
        parameter->name(), parameter->grad(), std::sqrt(sum));
    for (Parameter* each : parameters) each->clear_grad();
    return {.norm = std::sqrt(sum), .skipped = true};
  }
  const double norm = std::sqrt(sum);
  const double factor = max_norm / (norm + 1e-6);
  if (factor < 1) {
    own_gradients(parameters);
    for (Parameter* parameter : parameters)
      if (parameter->grad().defined()) kernels::scale_into(parameter->mutable_grad(), factor);
  }
  return {.norm = norm, .skipped = false};
}

}  // namespace weft::optim
