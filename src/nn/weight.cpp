#include "weft/nn/weight.hpp"

#include "base/fail.hpp"
#include "nn/owner.hpp"

namespace weft::nn {
namespace {

// In a block of its own size: it stays.
Tensor value_of(const Shape& shape) {
  const MemoryCategoryGuard category(MemoryCategory::parameters);
  return Tensor::empty(shape);
}

}  // namespace

Weight::Weight(ModuleBase* owner, std::string name, const Shape& shape, const Init& init) {
  check_owner("Weight", owner, name);
  parameter_ = std::make_shared<Parameter>(owner->path_of(name), value_of(shape));
  initialise(*parameter_, init, owner->seed_);
  owner->add(std::move(name), parameter_);
}

Weight::Weight(ModuleBase* owner, std::string name, const Weight& tied) : parameter_(tied.parameter_) {
  check_owner("Weight", owner, name);
  check<ValueError>(tied.defined(), "Weight", "'{}' can't be tied to a weight that is none", owner->path_of(name));
  owner->add(std::move(name), parameter_);
}

}  // namespace weft::nn
