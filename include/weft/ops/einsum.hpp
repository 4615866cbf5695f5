#pragma once
#include <initializer_list>
#include <span>
#include <string_view>

#include "weft/autograd/var.hpp"

namespace weft {

/// Sums of products in Einstein's notation, as torch.einsum: "bij,bjk->bik" names the axes of each operand by letters (a to z,
/// A to Z). Axes of one letter go together, size 1 stretching; a letter twice within an operand takes its diagonal; letters
/// that the output doesn't have are summed over. Without "->" the output has the letters that stand once, in ASCII's order.
/// "..." stands for any further axes, which broadcast; in an output that isn't given they come first. Spaces don't matter.
/// More than two operands are multiplied from left to right.
/// Throws ValueError for an equation that doesn't parse, ShapeError, DTypeError, each naming the equation and the operands.
Var einsum(std::string_view equation, std::span<const Var> operands);
Var einsum(std::string_view equation, std::initializer_list<Var> operands);

}  // namespace weft
