#pragma once
#include "weft/tensor/tensor.hpp"

namespace weft::nn {

/// For each place of a row the first place that has its id: i64 of ids, integers [rows, places].
Tensor first_places(const Tensor& ids);

}  // namespace weft::nn
