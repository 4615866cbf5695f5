#include "weft/ops/index.hpp"

#include "autograd/linear_maps.hpp"
#include "base/fail.hpp"
#include "kernels/elementwise.hpp"
#include "kernels/rows.hpp"
#include "weft/ops/shape.hpp"

namespace weft {
namespace {

// Where the elements that gather takes stand in x's dense order, of index's shape.
Tensor flat_places(const Tensor& index, const Shape& shape, int axis) {
  Tensor places = index.to(i64).clone();
  const Strides strides = shape.dense_strides();
  std::int64_t* place = places.mutable_data<std::int64_t>();
  std::array<std::int64_t, max_rank> at{};
  for (std::int64_t k = 0; k < places.numel(); ++k) {
    std::int64_t offset = 0;
    for (int i = 0; i < shape.rank(); ++i)
      offset += (i == axis ? place[k] : at[static_cast<std::size_t>(i)]) * strides[static_cast<std::size_t>(i)];
    place[k] = offset;
    for (int i = shape.rank() - 1; i >= 0 && ++at[static_cast<std::size_t>(i)] == places.shape()[i]; --i)
      at[static_cast<std::size_t>(i)] = 0;
  }
  return places;
}

}  // namespace

Var index_select(const Var& x, int axis, const Tensor& index) {
  check<ShapeError>(index.rank() == 1, "index_select", "the index has shape {}; one dimension is needed", index.shape());
  axis = x.shape().axis(axis, "index_select");
  kernels::check_index(index, x.size(axis), "index_select");
  if (axis == 0) return maps::gather_rows(x, index);
  return transpose(maps::gather_rows(transpose(x, 0, axis), index), 0, axis);
}

Var gather(const Var& x, int axis, const Tensor& index) {
  check<ShapeError>(x.rank() >= 1 && index.rank() == x.rank(), "gather",
                    "index {} and input {} differ in rank (one at least is needed)", index.shape(), x.shape());
  axis = x.shape().axis(axis, "gather");
  for (int i = 0; i < x.rank(); ++i)
    check<ShapeError>(i == axis || index.shape()[i] <= x.size(i), "gather", "index {} is larger than input {} at axis {}",
                      index.shape(), x.shape(), i);
  kernels::check_index(index, x.size(axis), "gather");
  return maps::gather_rows(reshape(x, {x.numel()}), flat_places(index, x.shape(), axis));
}

}  // namespace weft
