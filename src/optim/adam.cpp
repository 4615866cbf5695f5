#include "weft/optim/adam.hpp"

#include <cmath>

#include "base/fail.hpp"
#include "kernels/optimizer.hpp"

namespace weft::optim {
namespace {

AdamOptions without_kind(const AdamWOptions& o) {
  return {.lr = o.lr, .betas = o.betas, .eps = o.eps, .weight_decay = o.weight_decay};
}

}  // namespace

Adam::Adam(std::span<Parameter* const> parameters, const AdamOptions& options) : Adam(one_group(parameters), options) {}

Adam::Adam(const std::vector<Group>& groups, const AdamOptions& options) : Adam("Adam", groups, options, false) {}

Adam::Adam(const char* name, const std::vector<Group>& groups, const AdamOptions& options, bool decoupled)
    : Optimizer(name, groups, options.lr, options.weight_decay, {"exp_avg", "exp_avg_sq"}),
      options_(options),
      decoupled_(decoupled) {
  for (const double beta : options.betas)
    check<ValueError>(beta >= 0 && beta < 1, name, "betas are {} and {}, not in [0, 1)", options.betas[0], options.betas[1]);
  check<ValueError>(std::isfinite(options.eps) && options.eps >= 0, name, "eps is {}, not at least 0", options.eps);
}

void Adam::update(Slot& slot, double lr, std::int64_t step) {
  kernels::adam(slot.parameter->mutable_value(), slot.parameter->grad(), slot.buffers[0], slot.buffers[1],
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
