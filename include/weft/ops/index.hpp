#pragma once
#include <cstdint>

#include "weft/autograd/var.hpp"

namespace weft {

// Elements by index. An index is i32 or i64; one outside 0..size-1 (a negative one too) is an IndexError that names the place
// where it stands. Results don't depend on the number of threads.

/// The elements index[0], index[1], ... (one-dimensional) along `axis`; repeated ones add up their gradients.
/// Throws IndexError, ShapeError, DTypeError.
Var index_select(const Var& x, int axis, const Tensor& index);

/// result[i][j][k] = x[i][index[i][j][k]][k] for axis 1, as torch.gather: index has x's rank, and beside `axis`
/// no size above x's. The result has index's shape. Throws IndexError, ShapeError, DTypeError.
Var gather(const Var& x, int axis, const Tensor& index);

/// x with alpha source[k] added to its element index[k] along `axis`, in the order of k. index has one dimension, source x's
/// shape with index's size at `axis`. Throws IndexError, ShapeError, DTypeError.
Var index_add(const Var& x, int axis, const Tensor& index, const Var& source, double alpha = 1);

/// x with result[i][index[i][j][k]][k] += source[i][j][k] for axis 1, in the order of j. index has x's rank, beside `axis` no
/// size above x's, and nowhere one above source's, of which the rest isn't used. Throws IndexError, ShapeError, DTypeError.
Var scatter_add(const Var& x, int axis, const Tensor& index, const Var& source);

/// The same with = for +=: of several for one place the last stays, and it alone gets the gradient.
Var scatter(const Var& x, int axis, const Tensor& index, const Var& source);

/// index [...] -> [..., classes] with 1 where the class stands and 0 elsewhere. It has no gradient.
/// Throws IndexError, ShapeError, DTypeError.
Tensor one_hot(const Tensor& index, std::int64_t classes, DType dtype = f32);

/// lengths [...], integers -> bool [..., places], true before each length: the mask of padded rows. It has no gradient.
/// Throws DTypeError, ValueError for lengths outside 0 to `places`.
Tensor sequence_mask(const Tensor& lengths, std::int64_t places);

}  // namespace weft
