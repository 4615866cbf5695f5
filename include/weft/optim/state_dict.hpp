#pragma once
#include <string>
#include <utility>
#include <vector>

#include "weft/tensor/tensor.hpp"

namespace weft::optim {

/// State for a checkpoint: named tensors, in a fixed order.
using StateDict = std::vector<std::pair<std::string, Tensor>>;

}  // namespace weft::optim
