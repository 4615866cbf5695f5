#pragma once
#include "weft/tensor/state_dict.hpp"

namespace weft::optim {

/// The tensors of `given` that belong to `expected`, in its order. Throws ValueError naming what is missing, unexpected or
/// there twice, ShapeError or DTypeError naming what has another shape or dtype.
std::vector<Tensor> match_state(const char* op, const StateDict& expected, const StateDict& given);

}  // namespace weft::optim
