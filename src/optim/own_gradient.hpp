#pragma once
#include <span>

#include "weft/autograd/parameter.hpp"

namespace weft::optim {

/// The gradient of a step that uses it up, to compute in; a copy where another handle sees its elements.
inline Tensor& own_gradient(Parameter& parameter) {
  if (!parameter.grad().is_unique()) parameter.mutable_grad() = parameter.grad().clone();
  return parameter.mutable_grad();
}

/// Of all that have one, before any of them changes: a copy may have no memory.
inline void own_gradients(std::span<Parameter* const> parameters) {
  for (Parameter* parameter : parameters)
    if (parameter->grad().defined()) own_gradient(*parameter);
}

}  // namespace weft::optim
