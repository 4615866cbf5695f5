#pragma once
#include <cstdint>
#include <functional>
#include <vector>

namespace weft::optim {

/// The factor on the learning rate at update number `step`, counted from 1:
///   optimizer.set_lr(options.lr * schedule(step));
/// Any function will do; schedules without state resume by the step alone. Those below throw ValueError for a step below 1.
using Schedule = std::function<double(std::int64_t step)>;

/// The same at every step. Throws ValueError for a factor that is negative or not finite.
Schedule constant(double factor = 1);

/// Linear to 1 over `warmup` steps, then sqrt(warmup / step) (Vaswani et al. 2017, with a peak of 1).
/// Throws ValueError for warmup < 1.
Schedule inverse_sqrt(std::int64_t warmup);

/// Linear to 1 over `warmup` steps, then 1. Throws ValueError for warmup < 1.
Schedule linear_warmup(std::int64_t warmup);

/// 1 falling to `least` along half a cosine over `steps` updates, and up again after them, as PyTorch's CosineAnnealingLR
/// (T_max = steps, eta_min = least * lr). Throws ValueError for steps < 1 or a `least` outside [0, 1].
Schedule cosine(std::int64_t steps, double least = 0);

/// Multiplied with `factor` after every `every` updates, as PyTorch's StepLR (step_size, gamma). Throws ValueError for
/// every < 1 or a factor that is negative or not finite.
Schedule step(std::int64_t every, double factor = 0.1);

/// Multiplied with `factor` after every update, as PyTorch's ExponentialLR (gamma). Throws ValueError for a factor that is
/// negative or not finite.
Schedule exponential(double factor);

/// least + (1 - least) (1 - t / steps)^power, t = step - 1, and `least` after `steps` updates; with `least` 0 PyTorch's
/// PolynomialLR. Throws ValueError for steps < 1, a negative power or a `least` outside [0, 1].
Schedule polynomial(std::int64_t steps, double power = 1, double least = 0);

enum class CycleShape {
  triangular,  ///< each peak as high as the first
  halved,      ///< half as high as the one before (PyTorch's triangular2)
  decaying     ///< times gamma^(step - 1) (PyTorch's exp_range)
};

struct CyclicOptions {
  std::int64_t up = 2000;    ///< updates from `least` to the peak
  std::int64_t down = 2000;  ///< and back
  double least = 0.1;
  CycleShape shape = CycleShape::triangular;
  double gamma = 1;  ///< of decaying
};

/// From `least` to 1 and back along straight lines, over and over (Smith 2017), as PyTorch's CyclicLR (base_lr = least * lr,
/// max_lr = lr). Throws ValueError for up or down < 1, a `least` or gamma outside [0, 1].
Schedule cyclic(const CyclicOptions& options = {});

struct OneCycleOptions {
  std::int64_t steps = 0;     ///< of the whole cycle
  double rise = 0.3;          ///< the share of them in which the rate rises
  double start_divisor = 25;  ///< it starts at 1 / start_divisor
  double end_divisor = 1e4;   ///< and ends that much below its start
  bool linear = false;        ///< straight lines in place of half cosines
  bool three_phases = false;  ///< falls to the start as long as it rose, from there to the end
};

/// Up to 1 and down below the start in one cycle (Smith and Topin 2019), as PyTorch's OneCycleLR with max_lr = lr; after
/// `steps` updates the factor stays. Throws ValueError for steps < 1, a rise outside [0, 1] (with three phases: [0, 1/2]) or a
/// divisor that isn't at least 1.
Schedule one_cycle(const OneCycleOptions& options);

/// Linear to then(1) over `steps` updates, after which `then` starts at its step 1. To have both at once, multiply:
/// product({linear_warmup(steps), then}). Throws ValueError for steps < 1 or where `then` is empty.
Schedule warmup(std::int64_t steps, Schedule then);

/// All factors multiplied. `std::ref(plateau)` puts a Plateau among them. Throws ValueError where one is empty.
Schedule product(std::vector<Schedule> schedules);

}  // namespace weft::optim
