#pragma once
#include <optional>

#include "kernels/dropout.hpp"
#include "weft/autograd/var.hpp"

namespace weft {

/// The next draw of the tape that records for values of this shape; none where nothing records or nothing is to be dropped.
/// `each`: how many of the first dimension one row of the batch has, which says where a part of a batch begins; 0: what is
/// drawn is all rows' in common. Throws TapeError for a tape without a generator.
std::optional<kernels::DropoutDraw> next_draw(const Shape& shape, double p, std::int64_t each = 1);

/// The public `dropout`, of such values.
Var dropout(const Var& x, double p, std::int64_t each);

/// x under a draw with p < 1: linear in x, and its own derivative.
Var dropout(const Var& x, const kernels::DropoutDraw& draw);

}  // namespace weft
