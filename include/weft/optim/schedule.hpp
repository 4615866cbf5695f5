#pragma once
#include <cstdint>
#include <functional>
#include <vector>

namespace weft::optim {

/// The factor on the learning rate at update number `step`, counted from 1:
///   optimizer.set_lr(options.lr * schedule(step));
/// Any function will do; schedules without state resume by the step alone.
using Schedule = std::function<double(std::int64_t step)>;

/// The same at every step.
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

/// All factors multiplied. `std::ref(plateau)` puts a Plateau among them.
Schedule product(std::vector<Schedule> schedules);

}  // namespace weft::optim
