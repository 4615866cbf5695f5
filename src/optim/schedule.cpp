#include "weft/optim/schedule.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <utility>

#include "base/fail.hpp"

namespace weft::optim {

namespace {

void check_factor(const char* schedule, double factor) {
  check<ValueError>(std::isfinite(factor) && factor >= 0, schedule, "the factor is {}, not at least 0", factor);
}

void check_least(const char* schedule, double least) {
  check<ValueError>(least >= 0 && least <= 1, schedule, "least is {}, not in [0, 1]: it is a factor on the learning rate",
                    least);
}

// From `from` at share 0 to `to` at share 1, along a line or half a cosine.
double between(double from, double to, double share, bool linear) {
  if (linear) return from + (to - from) * share;
  return to + (from - to) / 2 * (1 + std::cos(std::numbers::pi * share));
}

Schedule counted(const char* schedule, Schedule factor) {
  return [schedule, factor = std::move(factor)](std::int64_t step) {
    check<ValueError>(step >= 1, schedule, "step {}; updates are counted from 1", step);
    return factor(step);
  };
}

}  // namespace

Schedule constant(double factor) {
  check_factor("constant", factor);
  return counted("constant", [factor](std::int64_t) { return factor; });
}

Schedule inverse_sqrt(std::int64_t warmup) {
  check<ValueError>(warmup >= 1, "inverse_sqrt", "a warm-up of {} steps; at least 1 is needed", warmup);
  return counted("inverse_sqrt", [rise = static_cast<double>(warmup)](std::int64_t step) {
    const auto at = static_cast<double>(step);
    return at < rise ? at / rise : std::sqrt(rise / at);
  });
}

Schedule linear_warmup(std::int64_t warmup) {
  check<ValueError>(warmup >= 1, "linear_warmup", "a warm-up of {} steps; at least 1 is needed", warmup);
  return counted("linear_warmup", [rise = static_cast<double>(warmup)](std::int64_t step) {
    return std::min(static_cast<double>(step) / rise, 1.0);
  });
}

Schedule cosine(std::int64_t steps, double least) {
  check<ValueError>(steps >= 1, "cosine", "half a cosine over {} steps; at least 1 is needed", steps);
  check_least("cosine", least);
  return counted("cosine", [half = static_cast<double>(steps), least](std::int64_t step) {
    const double turn = std::numbers::pi * static_cast<double>(step - 1) / half;
    return least + (1 - least) * (1 + std::cos(turn)) / 2;
  });
}

Schedule step(std::int64_t every, double factor) {
  check<ValueError>(every >= 1, "step", "a step every {} updates; at least 1 is needed", every);
  check_factor("step", factor);
  return counted("step",
                 [every, factor](std::int64_t step) { return std::pow(factor, static_cast<double>((step - 1) / every)); });
}

Schedule exponential(double factor) {
  check_factor("exponential", factor);
  return counted("exponential", [factor](std::int64_t step) { return std::pow(factor, static_cast<double>(step - 1)); });
}

Schedule polynomial(std::int64_t steps, double power, double least) {
  check<ValueError>(steps >= 1, "polynomial", "a fall over {} steps; at least 1 is needed", steps);
  check<ValueError>(std::isfinite(power) && power >= 0, "polynomial", "power is {}, not at least 0", power);
  check_least("polynomial", least);
  return counted("polynomial", [whole = static_cast<double>(steps), power, least](std::int64_t step) {
    const double left = 1 - static_cast<double>(step - 1) / whole;
    return left <= 0 ? least : least + (1 - least) * std::pow(left, power);
  });
}

Schedule cyclic(const CyclicOptions& options) {
  constexpr std::int64_t most = std::int64_t{1} << 40;
  check<ValueError>(std::min(options.up, options.down) >= 1 && std::max(options.up, options.down) <= most, "cyclic",
                    "up {} and down {} must be in 1..{}", options.up, options.down, most);
  check_least("cyclic", options.least);
  check<ValueError>(options.gamma >= 0 && options.gamma <= 1, "cyclic", "gamma is {}, not in [0, 1]", options.gamma);
  return counted("cyclic", [o = options](std::int64_t step) {
    const std::int64_t t = step - 1, period = o.up + o.down, place = t % period;
    const double height = place <= o.up ? static_cast<double>(place) / static_cast<double>(o.up)
                                        : static_cast<double>(period - place) / static_cast<double>(o.down);
    const double peak = o.shape == CycleShape::halved     ? std::exp2(-static_cast<double>(t / period))
                        : o.shape == CycleShape::decaying ? std::pow(o.gamma, static_cast<double>(t))
                                                          : 1;
    return o.least + (1 - o.least) * height * peak;
  });
}

Schedule one_cycle(const OneCycleOptions& options) {
  const OneCycleOptions& given = options;
  check<ValueError>(given.steps >= 1, "one_cycle", "a cycle of {} steps; at least 1 is needed", given.steps);
  check<ValueError>(given.rise >= 0 && given.rise <= (given.three_phases ? 0.5 : 1), "one_cycle",
                    "rise is {}, not in [0, {}]: it is a share of the steps", given.rise, given.three_phases ? 0.5 : 1);
  check<ValueError>(std::isfinite(given.start_divisor) && given.start_divisor >= 1 && std::isfinite(given.end_divisor) &&
                        given.end_divisor >= 1,
                    "one_cycle", "start_divisor {} and end_divisor {} must be at least 1", given.start_divisor,
                    given.end_divisor);
  return counted("one_cycle", [o = options](std::int64_t step) {
    const double start = 1 / o.start_divisor, end = start / o.end_divisor;
    const auto whole = static_cast<double>(o.steps), t = static_cast<double>(std::min(step, o.steps) - 1);
    // Where each phase ends, as PyTorch counts.
    const double top = o.rise * whole - 1, back = o.three_phases ? 2 * o.rise * whole - 2 : top;
    const auto share = [t](double from, double to) { return to > from ? std::min((t - from) / (to - from), 1.0) : 1.0; };
    if (t <= top) return between(start, 1, share(0, top), o.linear);
    if (t <= back) return between(1, start, share(top, back), o.linear);
    return between(o.three_phases ? start : 1, end, share(back, whole - 1), o.linear);
  });
}

Schedule warmup(std::int64_t steps, Schedule then) {
  check<ValueError>(steps >= 1, "warmup", "a warm-up of {} steps; at least 1 is needed", steps);
  check<ValueError>(then != nullptr, "warmup", "there is no schedule to go on with");
  return counted("warmup", [steps, then = std::move(then)](std::int64_t step) {
    if (step > steps) return then(step - steps);
    return then(1) * static_cast<double>(step) / static_cast<double>(steps);
  });
}

Schedule product(std::vector<Schedule> schedules) {
  for (std::size_t i = 0; i < schedules.size(); ++i)
    check<ValueError>(schedules[i] != nullptr, "product", "schedule {} of {} is empty", i, schedules.size());
  return counted("product", [all = std::move(schedules)](std::int64_t step) {
    double factor = 1;
    for (const Schedule& schedule : all) factor *= schedule(step);
    return factor;
  });
}

}  // namespace weft::optim
