#include "weft/optim/adagrad.hpp"

#include "kernels/adaptive.hpp"
#include "optim/check_options.hpp"

namespace weft::optim {

Adagrad::Adagrad(std::span<Parameter* const> parameters, const AdagradOptions& options)
    : Adagrad(one_group(parameters), options) {}

Adagrad::Adagrad(const std::vector<Group>& groups, const AdagradOptions& options)
    : Optimizer("Adagrad", groups, options.lr, options.weight_decay,
                [start = options.initial_accumulator_value](const Parameter& parameter) {
                  return std::vector<Buffer>{{"sum", Tensor::full(parameter.shape(), start, parameter.dtype())}};
                }),
      options_(options) {
  check_at_least_0("Adagrad", "lr_decay", options.lr_decay);
  check_at_least_0("Adagrad", "initial_accumulator_value", options.initial_accumulator_value);
  check_at_least_0("Adagrad", "eps", options.eps);
}

void Adagrad::update(Slot& slot, double lr, std::int64_t step) {
  kernels::adagrad(slot.parameter->mutable_value(), slot.parameter->grad(), slot.buffers[0].tensor,
                   {.lr = lr / (1 + static_cast<double>(step - 1) * options_.lr_decay),
                    .eps = options_.eps,
                    .weight_decay = slot.weight_decay});
}

}  // namespace weft::optim
