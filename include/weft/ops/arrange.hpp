#pragma once
#include <cstdint>
#include <initializer_list>
#include <span>

#include "weft/autograd/var.hpp"

namespace weft {

// Elements of any dtype put in other places, or several times. All copy but unfold, which gives a view.
// Negative axes count from the end. Throw ShapeError or IndexError naming the shapes, ValueError for an impossible argument.

/// What stands beside abcd: a value; the elements inwards from the edge, which isn't repeated (dcb|abcd); the edge (aaa|abcd);
/// the elements from the other end (bcd|abcd).
enum class PadMode : std::uint8_t { constant, reflect, replicate, circular };

/// x with padding at both ends of its last axes: {left, right} of the last one, then of the one before, and so on. Negative
/// numbers take elements away. reflect needs less padding than elements, circular no more, replicate one element.
Var pad(const Var& x, std::span<const std::int64_t> padding, PadMode mode = PadMode::constant, double value = 0);
Var pad(const Var& x, std::initializer_list<std::int64_t> padding, PadMode mode = PadMode::constant, double value = 0);

/// Element i moved to i + shift along an axis, what leaves at one end coming in at the other; without an axis, in row-major
/// order of all. Several axes: one shift for each.
Var roll(const Var& x, std::int64_t shift);
Var roll(const Var& x, std::int64_t shift, int axis);
Var roll(const Var& x, std::initializer_list<std::int64_t> shifts, std::initializer_list<int> axes);

/// x one after the other `counts` times along each axis, as Tensor.repeat: counts beyond x's rank add leading dimensions.
Var repeat(const Var& x, std::span<const std::int64_t> counts);
Var repeat(const Var& x, std::initializer_list<std::int64_t> counts);
/// The same, but fewer counts than axes are of the last ones.
Var tile(const Var& x, std::span<const std::int64_t> counts);
Var tile(const Var& x, std::initializer_list<std::int64_t> counts);

/// All windows of `size` elements that begin `step` apart along `axis`, as Tensor.unfold: axis becomes the windows, a new last
/// one has their elements. They may overlap: gradients add up.
Var unfold(const Var& x, int axis, std::int64_t size, std::int64_t step);

}  // namespace weft
