#pragma once
#include <cstdint>

#include "weft/autograd/var.hpp"

namespace weft::nn {

/// What makes weights of scores.
enum class Normaliser : std::uint8_t { softmax };

/// Weights over the last axis of `scores` where mask (bool, broadcast to them; undefined: everywhere) is true, zeros elsewhere.
/// Throws ShapeError, DTypeError.
Var normalised(Normaliser normaliser, const Var& scores, const Tensor& mask = {});

}  // namespace weft::nn
