#include "weft/optim/schedule.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <utility>

#include "base/fail.hpp"

namespace weft::optim {

Schedule constant(double factor) {
  return [factor](std::int64_t) { return factor; };
}

Schedule inverse_sqrt(std::int64_t warmup) {
  check<ValueError>(warmup >= 1, "inverse_sqrt", "a warm-up of {} steps; at least 1 is needed", warmup);
  return [rise = static_cast<double>(warmup)](std::int64_t step) {
    const auto at = static_cast<double>(step);
    return at < rise ? at / rise : std::sqrt(rise / at);
  };
}

Schedule linear_warmup(std::int64_t warmup) {
  check<ValueError>(warmup >= 1, "linear_warmup", "a warm-up of {} steps; at least 1 is needed", warmup);
  return [rise = static_cast<double>(warmup)](std::int64_t step) { return std::min(static_cast<double>(step) / rise, 1.0); };
}

Schedule cosine(std::int64_t steps, double least) {
  check<ValueError>(steps >= 1, "cosine", "half a cosine over {} steps; at least 1 is needed", steps);
  check<ValueError>(least >= 0 && least <= 1, "cosine", "least is {}, not in [0, 1]: it is a factor on the learning rate",
                    least);
  return [half = static_cast<double>(steps), least](std::int64_t step) {
    const double turn = std::numbers::pi * static_cast<double>(step - 1) / half;
    return least + (1 - least) * (1 + std::cos(turn)) / 2;
  };
}

Schedule step(std::int64_t every, double factor) {
  check<ValueError>(every >= 1, "step", "a step every {} updates; at least 1 is needed", every);
  check<ValueError>(std::isfinite(factor) && factor >= 0, "step", "the factor is {}, not at least 0", factor);
  return [every, factor](std::int64_t step) { return std::pow(factor, static_cast<double>((step - 1) / every)); };
}

Schedule product(std::vector<Schedule> schedules) {
  return [all = std::move(schedules)](std::int64_t step) {
    double factor = 1;
    for (const Schedule& schedule : all) factor *= schedule(step);
    return factor;
  };
}

}  // namespace weft::optim
