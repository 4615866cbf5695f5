#include "weft/optim/optimizer.hpp"

#include <cmath>
#include <set>
#include <string_view>

#include "autograd/profiler.hpp"
#include "base/fail.hpp"
#include "optim/check_options.hpp"
#include "optim/match_state.hpp"
#include "optim/own_gradient.hpp"

namespace weft::optim {

Optimizer::Optimizer(const char* name, const std::vector<Group>& groups, double lr, double weight_decay,
                     const MakeBuffers& buffers)
    : name_(name) {
  set_lr(lr);
  const MemoryCategoryGuard category(MemoryCategory::optimizer);
  std::set<const Parameter*> seen;
  std::set<std::string_view> names;
  for (const Group& group : groups) {
    const double decay = group.weight_decay.value_or(weight_decay);
    check<ValueError>(std::isfinite(decay) && decay >= 0, name_, "weight_decay is {}, not at least 0", decay);
    check<ValueError>(std::isfinite(group.lr_factor) && group.lr_factor >= 0, name_, "lr_factor is {}, not at least 0",
                      group.lr_factor);
    for (Parameter* parameter : group.parameters) {
      check<ValueError>(parameter != nullptr, name_, "a parameter is a null pointer");
      check<ValueError>(seen.insert(parameter).second, name_, "'{}' stands twice among the parameters", parameter->name());
      check<ValueError>(
          names.insert(parameter->name()).second, name_,
          "two parameters have the name '{}', which keys the state; make their modules members of one, {{this, \"name\"}}",
          parameter->name());
      slots_.push_back({.parameter = ParameterHandle(*parameter),
                        .lr_factor = group.lr_factor,
                        .weight_decay = decay,
                        .shape = parameter->shape(),
                        .dtype = parameter->dtype(),
                        .step = Tensor::zeros({}, i64),
                        .buffers = buffers(*parameter)});
    }
  }
  check_any_parameters(name_, !slots_.empty());
}

Optimizer::Optimizer(const char* name, const std::vector<Group>& groups, double lr, double weight_decay,
                     std::initializer_list<const char*> buffers)
    : Optimizer(name, groups, lr, weight_decay, [buffers](const Parameter& parameter) {
        std::vector<Buffer> zeros;
        for (const char* buffer : buffers) zeros.push_back({buffer, Tensor::zeros(parameter.shape(), parameter.dtype())});
        return zeros;
      }) {}

std::vector<Group> Optimizer::one_group(std::span<Parameter* const> parameters) {
  return {Group{.parameters = {parameters.begin(), parameters.end()}}};
}

void Optimizer::set_lr(double lr) {
  check<ValueError>(std::isfinite(lr) && lr >= 0, name_, "the learning rate is {}, not at least 0", lr);
  lr_ = lr;
}

// Whatever can fail, fails here, before any state has changed.
void Optimizer::prepare(const Slot& slot) const {
  Parameter& parameter = *slot.parameter;
  const Tensor& value = parameter.value();
  const Tensor& grad = parameter.grad();
  check<ShapeError>(grad.shape() == value.shape(), name_, "the gradient of '{}' is {}, its value {}", parameter.name(), grad,
                    value);
  check<DTypeError>(grad.dtype() == value.dtype(), name_, "the gradient of '{}' is {}, its value {}", parameter.name(), grad,
                    value);
  check<ShapeError>(value.is_contiguous(), name_, "the value of '{}' {} is a view with gaps; make it dense with clone()",
                    parameter.name(), value);
  if (!slot.buffers.empty()) {
    check<ShapeError>(slot.shape == value.shape(), name_, "'{}' is {} now, its state of {}{}; make the optimizer anew",
                      parameter.name(), value, name_of(slot.dtype), slot.shape);
    check<DTypeError>(slot.dtype == value.dtype(), name_,
                      "'{}' is {} now, its state of {}{}; convert before making the optimizer", parameter.name(), value,
                      name_of(slot.dtype), slot.shape);
  }
  if (!grad.is_contiguous()) parameter.mutable_grad() = grad.contiguous();
  if (works_in_gradient()) own_gradient(parameter);
}

void Optimizer::check_parameters() const {
  for (const Slot& slot : slots_) slot.parameter.check_there(name_);
}

std::vector<Parameter*> Optimizer::parameters() const {
  check_parameters();
  std::vector<Parameter*> all;
  for (const Slot& slot : slots_) all.push_back(&*slot.parameter);
  return all;
}

void Optimizer::step() {
  check_parameters();
  const detail::ProfiledCall profiled(name_, current_scope(), detail::Direction::forward);
  bool any = false;
  for (const Slot& slot : slots_) {
    if (!slot.parameter->grad().defined()) continue;
    prepare(slot);
    any = true;
  }
  check<TapeError>(any, name_,
                   "no parameter has a gradient: call tape.backward(loss) before each step, which uses the gradients up, for a "
                   "loss that was computed with these parameters");
  for (Slot& slot : slots_) {
    if (!slot.parameter->grad().defined()) continue;
    auto& updates = *slot.step.mutable_data<std::int64_t>();
    update(slot, lr_ * slot.lr_factor, updates + 1);
    ++updates;
    slot.parameter->clear_grad();
  }
}

void Optimizer::clear_grad() {
  check_parameters();
  for (const Slot& slot : slots_) slot.parameter->clear_grad();
}

StateDict Optimizer::state_dict() const {
  check_parameters();
  StateDict state{{"lr", Tensor::full({}, lr_, f64)}};
  for (const Slot& slot : slots_) {
    state.push_back({slot.parameter.name() + ".step", slot.step});
    for (const auto& [name, tensor] : slot.buffers) state.push_back({slot.parameter.name() + "." + name, tensor});
  }
  return state;
}

void Optimizer::load_state_dict(const StateDict& state) {
  StateDict own = state_dict();
  const std::vector<Tensor> given = match_state(name_, own, state);
  for (std::size_t i = 0; i < own.size(); ++i)
    check<ValueError>(own[i].tensor.dtype() != i64 || given[i].item() >= 0, name_, "'{}' is {}, not at least 0", own[i].name,
                      given[i].str());
  set_lr(given[0].item());
  for (std::size_t i = 1; i < own.size(); ++i) own[i].tensor.copy_from(given[i]);
}

}  // namespace weft::optim
