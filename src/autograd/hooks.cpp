#include "autograd/tape_state.hpp"
#include "base/fail.hpp"

namespace weft {

void Tape::on_gradient(const Var& var, GradientHook hook) {
  check<TapeError>(var.requires_grad() && var.tape() == state_->id, "Tape::on_gradient",
                   "the variable isn't on this tape; a leaf, a parameter or what an operation made of them is");
  check<ValueError>(static_cast<bool>(hook), "Tape::on_gradient", "the hook is empty");
  state_->hooks.push_back({var.slot(), std::move(hook)});
  var.slot()->watched |= detail::by_hook;
}

namespace detail {

void observe(TapeState& tape, Slot& slot) {
  if ((slot.watched & by_hook) != 0) {
    const ScopeGuard scope(slot.node != nullptr ? slot.node->scope : current_scope());
    const ValuesUnchecked unchecked;
    for (const Hook& hook : tape.hooks) {
      if (hook.slot != &slot) continue;
      Var next = hook.function(slot.grad);
      if (!next.defined()) continue;
      check<ShapeError>(slot.has_shape(next.shape()), "on_gradient", "a hook put {} in the place of a gradient {}", next,
                        slot.grad);
      check<DTypeError>(next.dtype() == slot.dtype, "on_gradient", "a hook put {} in the place of a gradient {}", next,
                        slot.grad);
      if (anomaly_guards > 0) [[unlikely]]
        check_given_gradient("on_gradient", next);
      slot.grad = std::move(next);
    }
  }
  if ((slot.watched & by_pass) == 0) return;
  for (Capture& capture : tape.captures)
    if (capture.slot == &slot) capture.gradient = slot.grad;
}

}  // namespace detail
}  // namespace weft
