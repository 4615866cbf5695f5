#include "weft/optim/lion.hpp"

#include "kernels/adaptive.hpp"
#include "optim/check_options.hpp"

namespace weft::optim {

Lion::Lion(std::span<Parameter* const> parameters, const LionOptions& options) : Lion(one_group(parameters), options) {}

Lion::Lion(const std::vector<Group>& groups, const LionOptions& options)
    : Optimizer("Lion", groups, options.lr, options.weight_decay, {"exp_avg"}), options_(options) {
  check_betas("Lion", options.betas);
}

void Lion::update(Slot& slot, double lr, std::int64_t) {
  kernels::lion(slot.parameter->mutable_value(), slot.parameter->grad(), slot.buffers[0].tensor,
                {.lr = lr, .beta1 = options_.betas[0], .beta2 = options_.betas[1], .weight_decay = slot.weight_decay});
}

}  // namespace weft::optim
