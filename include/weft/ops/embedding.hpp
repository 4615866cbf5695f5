#pragma once
#include <cstdint>
#include <optional>

#include "weft/autograd/var.hpp"

namespace weft {

/// Rows of table [rows, ...] by index (i32 or i64, any shape) -> index shape + row shape. Rows equal to `padding_idx` get no
/// gradient. Throws IndexError naming the place of an index outside 0..rows-1.
Var embedding(const Var& table, const Tensor& index, std::optional<std::int64_t> padding_idx = std::nullopt);

}  // namespace weft
