#include "weft/optim/weight_average.hpp"

#include <set>
#include <string_view>

#include "base/fail.hpp"
#include "kernels/elementwise.hpp"
#include "optim/check_options.hpp"
#include "optim/match_state.hpp"

namespace weft::optim {
namespace {

constexpr const char* where = "WeightAverage";

}  // namespace

WeightAverage::WeightAverage(std::span<Parameter* const> parameters, const WeightAverageOptions& options)
    : updates_(Tensor::zeros({}, i64)), decay_(options.decay) {
  check_share(where, "decay", decay_);
  const MemoryCategoryGuard category(MemoryCategory::optimizer);
  std::set<std::string_view> names;
  for (Parameter* parameter : parameters) {
    check<ValueError>(parameter != nullptr, where, "a parameter is a null pointer");
    check<ValueError>(names.insert(parameter->name()).second, where, "the name '{}' stands twice among the parameters",
                      parameter->name());
    check<ValueError>(parameter->name() != "updates", where,
                      "a parameter is called 'updates', as the count of the state is; give it another name");
    parameters_.emplace_back(*parameter);
    averages_.push_back(Tensor::zeros(parameter->shape(), parameter->dtype()));
  }
  check_any_parameters(where, !parameters_.empty());
}

void WeightAverage::check_parameters() const {
  for (std::size_t i = 0; i < parameters_.size(); ++i) {
    parameters_[i].check_there(where);
    const Tensor& value = parameters_[i]->value();
    check<ShapeError>(value.shape() == averages_[i].shape(), where, "'{}' is {} now, its average {}", parameters_[i]->name(),
                      value, averages_[i]);
    check<DTypeError>(value.dtype() == averages_[i].dtype(), where, "'{}' is {} now, its average {}", parameters_[i]->name(),
                      value, averages_[i]);
  }
}

void WeightAverage::check_not_swapped() const {
  check<ValueError>(!swapped_, where, "the parameters hold the averages; swap() them back first");
}

void WeightAverage::update() {
  check_not_swapped();
  check_parameters();
  const bool first = ++*updates_.mutable_data<std::int64_t>() == 1;
  for (std::size_t i = 0; i < parameters_.size(); ++i) {
    if (first) {
      averages_[i].copy_from(parameters_[i]->value());
      continue;
    }
    kernels::lerp_into(averages_[i], parameters_[i]->value(), 1 - decay_);
  }
}

void WeightAverage::swap() {
  check_parameters();
  check<ValueError>(updates_.item() > 0, where, "nothing was averaged yet: call update() after each step");
  std::vector<Tensor> values;  // all of them first: without memory for one, nothing has changed
  for (const ParameterHandle& parameter : parameters_) values.push_back(parameter->value().clone());
  for (std::size_t i = 0; i < parameters_.size(); ++i) {
    parameters_[i]->mutable_value().copy_from(averages_[i]);
    averages_[i].copy_from(values[i]);
  }
  swapped_ = !swapped_;
}

StateDict WeightAverage::state_dict() const {
  check_not_swapped();
  StateDict state{{"updates", updates_}};
  for (std::size_t i = 0; i < parameters_.size(); ++i) state.push_back({parameters_[i].name(), averages_[i]});
  return state;
}

void WeightAverage::load_state_dict(const StateDict& state) {
  StateDict own = state_dict();
  const std::vector<Tensor> given = match_state(where, own, state);
  check<ValueError>(given[0].item() >= 0, where, "'updates' is {}, not at least 0", given[0].str());
  for (std::size_t i = 0; i < own.size(); ++i) own[i].tensor.copy_from(given[i]);
}

}  // namespace weft::optim
