#pragma once
#include "weft/autograd/parameter.hpp"

namespace weft::optim {

/// The gradient of a step that uses it up, to compute in; a copy where another handle sees its elements.
inline Tensor& own_gradient(Parameter& parameter) {
  if (!parameter.grad().is_unique()) parameter.mutable_grad() = parameter.grad().clone();
  return parameter.mutable_grad();
}

}  // namespace weft::optim
