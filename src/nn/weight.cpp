#include "weft/nn/weight.hpp"

#include "base/fail.hpp"

namespace weft::nn {

Weight::Weight(ModuleBase* owner, std::string name, const Shape& shape, const Init& init)
    : parameter_(std::make_shared<Parameter>(owner->path_of(name), Tensor::empty(shape))) {
  initialise(*parameter_, init, owner->seed_);
  owner->add(std::move(name), parameter_);
}

Weight::Weight(ModuleBase* owner, std::string name, const Weight& tied) : parameter_(tied.parameter_) {
  check<ValueError>(tied.defined(), "Weight", "'{}' can't be tied to a weight that is none", owner->path_of(name));
  owner->add(std::move(name), parameter_);
}

}  // namespace weft::nn
