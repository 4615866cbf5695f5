#include "weft/optim/rmsprop.hpp"

#include "kernels/adaptive.hpp"
#include "optim/check_options.hpp"

namespace weft::optim {
namespace {

std::initializer_list<const char*> buffers_of(const RMSpropOptions& options) {
  static constexpr std::initializer_list<const char*> plain = {"square_avg"}, momentum = {"square_avg", "momentum_buffer"},
                                                      centered = {"square_avg", "grad_avg"},
                                                      both = {"square_avg", "momentum_buffer", "grad_avg"};
  if (options.momentum > 0) return options.centered ? both : momentum;
  return options.centered ? centered : plain;
}

}  // namespace

RMSprop::RMSprop(std::span<Parameter* const> parameters, const RMSpropOptions& options)
    : RMSprop(one_group(parameters), options) {}

RMSprop::RMSprop(const std::vector<Group>& groups, const RMSpropOptions& options)
    : Optimizer("RMSprop", groups, options.lr, options.weight_decay, buffers_of(options)), options_(options) {
  check_share("RMSprop", "alpha", options.alpha);
  check_at_least_0("RMSprop", "eps", options.eps);
  check_at_least_0("RMSprop", "momentum", options.momentum);
}

void RMSprop::update(Slot& slot, double lr, std::int64_t) {
  Tensor none;
  kernels::rmsprop(slot.parameter->mutable_value(), slot.parameter->grad(), slot.buffers[0].tensor,
                   options_.momentum > 0 ? slot.buffers[1].tensor : none, options_.centered ? slot.buffers.back().tensor : none,
                   {.lr = lr,
                    .alpha = options_.alpha,
                    .eps = options_.eps,
                    .momentum = options_.momentum,
                    .weight_decay = slot.weight_decay});
}

}  // namespace weft::optim
