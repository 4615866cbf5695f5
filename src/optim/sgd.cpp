#include "weft/optim/sgd.hpp"

#include <cmath>

#include "base/fail.hpp"
#include "kernels/optimizer.hpp"

namespace weft::optim {
namespace {

std::initializer_list<const char*> buffers_of(const SGDOptions& options) {
  static constexpr std::initializer_list<const char*> none = {}, momentum = {"momentum_buffer"};
  return options.momentum == 0 ? none : momentum;
}

}  // namespace

SGD::SGD(std::span<Parameter* const> parameters, const SGDOptions& options) : SGD(one_group(parameters), options) {}

SGD::SGD(const std::vector<Group>& groups, const SGDOptions& options)
    : Optimizer("SGD", groups, options.lr, options.weight_decay, buffers_of(options)), options_(options) {
  check<ValueError>(std::isfinite(options.momentum) && options.momentum >= 0, "SGD", "momentum is {}, not at least 0",
                    options.momentum);
  check<ValueError>(std::isfinite(options.dampening), "SGD", "dampening is {}", options.dampening);
  check<ValueError>(!options.nesterov || (options.momentum > 0 && options.dampening == 0), "SGD",
                    "nesterov needs momentum above 0 and dampening 0, not {} and {}", options.momentum, options.dampening);
}

void SGD::update(Slot& slot, double lr, std::int64_t step) {
  Tensor none;
  kernels::sgd(slot.parameter->mutable_value(), slot.parameter->grad(), slot.buffers.empty() ? none : slot.buffers[0].tensor,
               {.lr = lr,
                .momentum = options_.momentum,
                .dampening = options_.dampening,
                .weight_decay = slot.weight_decay,
                .nesterov = options_.nesterov,
                .first = step == 1});
}

}  // namespace weft::optim
