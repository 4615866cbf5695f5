#include "weft/explain/integrated_gradients.hpp"

#include <cmath>

#include "base/fail.hpp"
#include "explain/gradient_at.hpp"
#include "weft/autograd/tape.hpp"
#include "weft/ops/elementwise.hpp"
#include "weft/ops/reduce.hpp"

namespace weft::explain {
namespace {

constexpr const char* op = "integrated_gradients";

double value_at(const std::function<Var(const Var&)>& f, const Tensor& x) {
  const NoGrad nothing_recorded;
  const Var output = f(x);
  check<ShapeError>(output.numel() == 1, op, "f gives {}, not one element", output.value());
  const double value = output.item();
  check<NumericError>(std::isfinite(value), op, "f is {} at an end of the path", value);
  return value;
}

/// Summed in f64, so that many steps don't add up their rounding.
double total(const Tensor& x) { return sum(Var(x.to(f64))).item(); }

}  // namespace

IntegratedGradients integrated_gradients(const std::function<Var(const Var&)>& f, const Tensor& input,
                                         const IntegratedGradientsOptions& options) {
  check<ValueError>(options.steps > 0 && options.most_steps >= options.steps, op,
                    "steps {} and most_steps {}: both must be positive, most_steps the larger", options.steps,
                    options.most_steps);
  check<ValueError>(options.tolerance > 0, op, "tolerance {} must be positive", options.tolerance);
  const Tensor baseline = options.baseline.defined() ? options.baseline : Tensor::zeros(input.shape(), input.dtype());
  check<ShapeError>(baseline.shape() == input.shape(), op, "baseline {} and input {} differ in shape", baseline, input);
  check<DTypeError>(baseline.dtype() == input.dtype(), op, "baseline {} and input {} differ in dtype", baseline, input);

  const Var start = baseline, way = Var(input) - start;
  IntegratedGradients result;
  result.difference = value_at(f, input) - value_at(f, baseline);
  for (result.steps = options.steps;; result.steps *= 2) {
    Var gradients = Tensor::zeros(input.shape(), f64);
    for (std::int64_t step = 0; step < result.steps; ++step) {
      const double t = (static_cast<double>(step) + 0.5) / static_cast<double>(result.steps);
      gradients = gradients + Var(gradient_at(op, f, (start + way * t).value()).to(f64));
    }
    const Var attributions = gradients / static_cast<double>(result.steps) * Var(way.value().to(f64));
    result.attributions = attributions.value().to(input.dtype());
    result.error = std::abs(total(attributions.value()) - result.difference);
    const double allowed = options.tolerance * total(abs(attributions).value());
    if (result.error <= allowed) return result;
    check<NumericError>(result.steps * 2 <= options.most_steps, op,
                        "with {} steps the attributions miss f(input) - f(baseline) = {} by {}, more than {}; allow more steps "
                        "or a larger tolerance",
                        result.steps, result.difference, result.error, allowed);
  }
}

}  // namespace weft::explain
