#include "weft/optim/adadelta.hpp"

#include "kernels/adaptive.hpp"
#include "optim/check_options.hpp"

namespace weft::optim {

Adadelta::Adadelta(std::span<Parameter* const> parameters, const AdadeltaOptions& options)
    : Adadelta(one_group(parameters), options) {}

Adadelta::Adadelta(const std::vector<Group>& groups, const AdadeltaOptions& options)
    : Optimizer("Adadelta", groups, options.lr, options.weight_decay, {"square_avg", "acc_delta"}), options_(options) {
  check_share("Adadelta", "rho", options.rho);
  check_at_least_0("Adadelta", "eps", options.eps);
}

void Adadelta::update(Slot& slot, double lr, std::int64_t) {
  kernels::adadelta(slot.parameter->mutable_value(), slot.parameter->grad(), slot.buffers[0].tensor, slot.buffers[1].tensor,
                    {.lr = lr, .rho = options_.rho, .eps = options_.eps, .weight_decay = slot.weight_decay});
}

}  // namespace weft::optim
