#pragma once
#include <functional>

#include "weft/autograd/var.hpp"

namespace weft::explain {

/// What each element of an input adds to an output, to first order (Shrikumar et al. 2017): x * df/dx, in the shape of the
/// input, f32 or f64. For words the input is their embeddings, and a word's share the sum over its vector.
/// `f` gives one element, such as a class's logit, and is evaluated on a tape of its own; it uses constants and modules in
/// evaluation mode, whose parameters' gradients stay as they are.
/// Throws ShapeError where f gives more than one element, DTypeError for an input of integers, TapeError where f draws random
/// numbers, as a model in training mode does.
Tensor gradient_times_input(const std::function<Var(const Var&)>& f, const Tensor& input);

}  // namespace weft::explain
