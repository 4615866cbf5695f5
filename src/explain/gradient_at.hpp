#pragma once
#include <functional>

#include "weft/autograd/var.hpp"

namespace weft::explain {

/// The gradient of f, which gives one element, at x, by a tape of its own; zeros where f doesn't depend on x. Throws TapeError
/// where f draws random numbers: a model in training mode has no one output.
Tensor gradient_at(const char* op, const std::function<Var(const Var&)>& f, const Tensor& x);

}  // namespace weft::explain
