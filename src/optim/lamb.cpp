#include "weft/optim/lamb.hpp"

#include <cmath>

#include "kernels/adaptive.hpp"
#include "kernels/optimizer.hpp"
#include "optim/check_options.hpp"

namespace weft::optim {

LAMB::LAMB(std::span<Parameter* const> parameters, const LAMBOptions& options) : LAMB(one_group(parameters), options) {}

LAMB::LAMB(const std::vector<Group>& groups, const LAMBOptions& options)
    : Optimizer("LAMB", groups, options.lr, options.weight_decay, {"exp_avg", "exp_avg_sq"}), options_(options) {
  check_betas("LAMB", options.betas);
  check_at_least_0("LAMB", "eps", options.eps);
}

void LAMB::update(Slot& slot, double lr, std::int64_t step) {
  Tensor& value = slot.parameter->mutable_value();
  Tensor& direction = slot.parameter->mutable_grad();
  const auto correction = [&](double beta) { return 1 - std::pow(beta, static_cast<double>(step)); };
  kernels::lamb_direction(value, direction, slot.buffers[0].tensor, slot.buffers[1].tensor,
                          {.beta1 = options_.betas[0],
                           .beta2 = options_.betas[1],
                           .eps = options_.eps,
                           .weight_decay = slot.weight_decay,
                           .mean_correction = correction(options_.betas[0]),
                           .square_correction = correction(options_.betas[1])});
  const double from = std::sqrt(kernels::sum_of_squares(value)), to = std::sqrt(kernels::sum_of_squares(direction));
  Tensor none;
  kernels::sgd(value, direction, none, {.lr = lr * (from == 0 || to == 0 ? 1 : from / to)});
}

}  // namespace weft::optim
