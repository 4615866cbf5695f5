#pragma once
#include <initializer_list>
#include <span>

#include "weft/autograd/var.hpp"
#include "weft/tensor/pool_vector.hpp"

namespace weft {

// All but concat and stack give views: no element is copied (reshape copies where strides leave no other way).
// Negative axes count from the end. Throw ShapeError or IndexError naming the shapes.

/// The same elements in row-major order in another shape; one size may be -1.
Var reshape(const Var& x, const Shape& shape);
Var reshape(const Var& x, std::initializer_list<std::int64_t> sizes);
/// Axes `first` to `last` as one.
Var flatten(const Var& x, int first = 0, int last = -1);
/// Two axes exchanged.
Var transpose(const Var& x, int a, int b);
/// Axis i of the result is axis axes[i] of x.
Var permute(const Var& x, std::initializer_list<int> axes);
Var permute(const Var& x, std::span<const int> axes);
/// Elements start to stop - 1 along `axis`.
Var slice(const Var& x, int axis, std::int64_t start, std::int64_t stop);
/// Element `index` along `axis`, which goes.
Var select(const Var& x, int axis, std::int64_t index);
/// Sizes of 1 stretched, leading dimensions added.
Var expand(const Var& x, const Shape& shape);
/// The order along `axis` reversed.
Var flip(const Var& x, int axis);
/// A dimension of size 1 added before `axis`, or taken out.
Var unsqueeze(const Var& x, int axis);
Var squeeze(const Var& x, int axis);

/// Parts of the given sizes along `axis`, which add up to its size.
PoolVector<Var> split(const Var& x, std::span<const std::int64_t> sizes, int axis);
PoolVector<Var> split(const Var& x, std::initializer_list<std::int64_t> sizes, int axis);

/// `chunks` parts of equal size along `axis`, the last one smaller, or fewer parts where there are too few elements.
PoolVector<Var> chunk(const Var& x, std::int64_t chunks, int axis = 0);

/// Joined along an axis that they have; the other sizes are equal. One at least.
Var concat(std::span<const Var> parts, int axis);
Var concat(std::initializer_list<Var> parts, int axis);
/// Joined along a new axis; all shapes are equal. One at least.
Var stack(std::span<const Var> parts, int axis);
Var stack(std::initializer_list<Var> parts, int axis);

}  // namespace weft
