#include "weft/optim/nadam.hpp"

#include <cmath>

#include "kernels/adaptive.hpp"
#include "optim/check_options.hpp"

namespace weft::optim {

NAdam::NAdam(std::span<Parameter* const> parameters, const NAdamOptions& options) : NAdam(one_group(parameters), options) {}

NAdam::NAdam(const std::vector<Group>& groups, const NAdamOptions& options)
    : Optimizer("NAdam", groups, options.lr, options.weight_decay,
                [](const Parameter& parameter) {
                  const Tensor zeros = Tensor::zeros(parameter.shape(), parameter.dtype());
                  return std::vector<Buffer>{
                      {"exp_avg", zeros}, {"exp_avg_sq", zeros.clone()}, {"mu_product", Tensor::ones({}, f64)}};
                }),
      options_(options) {
  check_betas("NAdam", options.betas);
  check_at_least_0("NAdam", "eps", options.eps);
  check_at_least_0("NAdam", "momentum_decay", options.momentum_decay);
}

void NAdam::update(Slot& slot, double lr, std::int64_t step) {
  const auto [beta1, beta2] = options_.betas;
  const auto mu_at = [&](std::int64_t t) {
    return options_.betas[0] * (1 - 0.5 * std::pow(0.96, static_cast<double>(t) * options_.momentum_decay));
  };
  const double mu = mu_at(step), next = mu_at(step + 1);
  double& product = *slot.buffers[2].tensor.mutable_data<double>();
  product *= mu;
  kernels::nadam(slot.parameter->mutable_value(), slot.parameter->grad(), slot.buffers[0].tensor, slot.buffers[1].tensor,
                 {.grad_rate = lr * (1 - mu) / (1 - product),
                  .mean_rate = lr * next / (1 - product * next),
                  .beta1 = beta1,
                  .beta2 = beta2,
                  .eps = options_.eps,
                  .weight_decay = slot.weight_decay,
                  .square_correction = 1 - std::pow(beta2, static_cast<double>(step))});
}

}  // namespace weft::optim
