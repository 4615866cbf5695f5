#include "weft/optim/adam.hpp"

#include "kernels/optimizer.hpp"
#include "optim/check_options.hpp"

namespace weft::optim {
namespace {

AdamOptions without_kind(const AdamWOptions& o) {
  return {.lr = o.lr, .betas = o.betas, .eps = o.eps, .weight_decay = o.weight_decay, .amsgrad = o.amsgrad};
}

std::initializer_list<const char*> buffers_of(const AdamOptions& options) {
  static constexpr std::initializer_list<const char*> usual = {"exp_avg", "exp_avg_sq"},
                                                      amsgrad = {"exp_avg", "exp_avg_sq", "max_exp_avg_sq"};
  return options.amsgrad ? amsgrad : usual;
}

}  // namespace

Adam::Adam(std::span<Parameter* const> parameters, const AdamOptions& options) : Adam(one_group(parameters), options) {}

Adam::Adam(const std::vector<Group>& groups, const AdamOptions& options) : Adam("Adam", groups, options, false) {}

Adam::Adam(const char* name, const std::vector<Group>& groups, const AdamOptions& options, bool decoupled)
    : Optimizer(name, groups, options.lr, options.weight_decay, buffers_of(options)), options_(options), decoupled_(decoupled) {
  check_betas(name, options.betas);
  check_at_least_0(name, "eps", options.eps);
}

void Adam::update(Slot& slot, double lr, std::int64_t step) {
  Tensor none;
  kernels::adam(slot.parameter->mutable_value(), slot.parameter->grad(), slot.buffers[0].tensor, slot.buffers[1].tensor,
                options_.amsgrad ? slot.buffers[2].tensor : none,
                {.lr = lr,
                 .beta1 = options_.betas[0],
                 .beta2 = options_.betas[1],
                 .eps = options_.eps,
                 .weight_decay = slot.weight_decay,
                 .decoupled = decoupled_,
                 .step = step});
}

AdamW::AdamW(std::span<Parameter* const> parameters, const AdamWOptions& options) : AdamW(one_group(parameters), options) {}

AdamW::AdamW(const std::vector<Group>& groups, const AdamWOptions& options)
    : Adam("AdamW", groups, without_kind(options), true) {}

}  // namespace weft::optim
