#include "weft/optim/schedule.hpp"

#include <algorithm>
#include <cmath>
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

Schedule product(std::vector<Schedule> schedules) {
  return [all = std::move(schedules)](std::int64_t step) {
    double factor = 1;
    for (const Schedule& schedule : all) factor *= schedule(step);
    return factor;
  };
}

}  // namespace weft::optim
