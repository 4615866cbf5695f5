#include "weft/optim/sparse_adam.hpp"

#include <cmath>

#include "kernels/optimizer.hpp"
#include "optim/check_options.hpp"

namespace weft::optim {

SparseAdam::SparseAdam(std::span<Parameter* const> parameters, const SparseAdamOptions& options)
    : SparseAdam(one_group(parameters), options) {}

SparseAdam::SparseAdam(const std::vector<Group>& groups, const SparseAdamOptions& options)
    : Optimizer("SparseAdam", groups, options.lr, 0, {"exp_avg", "exp_avg_sq"}), options_(options) {
  check_betas("SparseAdam", options.betas);
  check_at_least_0("SparseAdam", "eps", options.eps);
  for (const Group& group : groups)
    check<ValueError>(group.weight_decay.value_or(0) == 0, "SparseAdam",
                      "weight_decay is {}; rows that aren't used stay as they are, so there is none", *group.weight_decay);
}

void SparseAdam::update(Slot& slot, double lr, std::int64_t step) {
  // sqrt(v) + eps is Adam's divisor, sqrt(v / correction) + its eps, times the root of the correction.
  const double correction = 1 - std::pow(options_.betas[1], static_cast<double>(step));
  kernels::adam_rows(slot.parameter->mutable_value(), slot.parameter->grad(), slot.buffers[0].tensor, slot.buffers[1].tensor,
                     {.lr = lr,
                      .beta1 = options_.betas[0],
                      .beta2 = options_.betas[1],
                      .eps = options_.eps / std::sqrt(correction),
                      .weight_decay = 0,
                      .decoupled = false,
                      .step = step});
}

}  // namespace weft::optim
