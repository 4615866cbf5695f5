#include "weft/ops/index.hpp"

#include <algorithm>

#include "autograd/linear_maps.hpp"
#include "base/fail.hpp"
#include "kernels/elementwise.hpp"
#include "kernels/rows.hpp"
#include "kernels/scatter.hpp"
#include "ops/sizes.hpp"
#include "weft/autograd/record.hpp"
#include "weft/ops/elementwise.hpp"
#include "weft/ops/shape.hpp"

namespace weft {

using kernels::Binary;

namespace {

// Where the elements that gather takes stand in x's dense order, of index's shape.
Tensor flat_places(const Tensor& index, const Shape& shape, int axis) {
  Tensor places = index.dtype() == i64 ? index.clone() : index.to(i64);  // its own, to be changed
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

void check_rank(const char* op, const Var& x) {
  check<ShapeError>(x.rank() >= 1, op, "the input is a scalar; one dimension at least is needed");
}

void check_source(const char* op, const Var& x, const Var& source) {
  check<DTypeError>(source.dtype() == x.dtype(), op, "source {} and input {} differ in type", source.value(), x.value());
}

// index fits x beside the axis, which is made one of 0..rank-1.
int check_places(const char* op, const Var& x, int axis, const Tensor& index) {
  check<ShapeError>(index.rank() == x.rank(), op, "index {} and input {} differ in rank", index.shape(), x.shape());
  axis = x.shape().axis(axis, op);
  for (int i = 0; i < x.rank(); ++i)
    check<ShapeError>(i == axis || index.shape()[i] <= x.size(i), op, "index {} is larger than input {} at axis {}",
                      index.shape(), x.shape(), i);
  kernels::check_index(index, x.size(axis), op);
  return axis;
}

// The part of source that the index covers.
Var covered(const char* op, Var source, const Tensor& index) {
  check<ShapeError>(source.rank() == index.rank(), op, "source {} and index {} differ in rank", source.shape(), index.shape());
  for (int i = 0; i < index.rank(); ++i) {
    check<ShapeError>(index.shape()[i] <= source.size(i), op, "index {} is larger than source {} at axis {}", index.shape(),
                      source.shape(), i);
    if (index.shape()[i] < source.size(i)) source = slice(source, i, 0, index.shape()[i]);
  }
  return source;
}

void check_addable(const char* op, const Var& x) {
  check<DTypeError>(x.dtype() != boolean, op, "the input is {}; elements of bool can't be added", x.value());
}

Tensor copy(const Tensor& x) {
  Tensor result = x.empty_like();
  kernels::copy_into(x, result);
  return result;
}

// 0, 1, 2, ... along `axis`, as a view of that shape.
Tensor counting(const Shape& shape, int axis) {
  Tensor numbers = Tensor::empty({shape[axis]}, i64);
  auto* number = numbers.mutable_data<std::int64_t>();
  for (std::int64_t k = 0; k < shape[axis]; ++k) number[k] = k;
  for (int i = axis + 1; i < shape.rank(); ++i) numbers = numbers.unsqueeze(-1);
  return numbers.expand(shape);
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
  check_rank("gather", x);
  axis = check_places("gather", x, axis, index);
  return maps::gather_rows(reshape(x, {x.numel()}), flat_places(index, x.shape(), axis));
}

Var index_add(const Var& x, int axis, const Tensor& index, const Var& source, double alpha) {
  check_rank("index_add", x);
  check_source("index_add", x, source);
  check_addable("index_add", x);
  axis = x.shape().axis(axis, "index_add");
  check<ShapeError>(index.rank() == 1, "index_add", "the index has shape {}; one dimension is needed", index.shape());
  check<ShapeError>(source.rank() == x.rank() && source.shape() == x.shape().with(axis, index.numel()), "index_add",
                    "source {} by index {} doesn't fit input {} along axis {}", source.shape(), index.shape(), x.shape(), axis);
  kernels::check_index(index, x.size(axis), "index_add");
  if (alpha != 1) return index_add(x, axis, index, source * alpha);
  Tensor places = index.to(i64), sum = copy(x.value());
  for (int i = axis + 1; i < x.rank(); ++i) places = places.unsqueeze(-1);
  kernels::scatter_add(sum, axis, places.expand(source.shape()), source.value());
  return record("index_add", std::move(sum), {&x, &source}, [axis, index = Saved(index)](Sink& s) {
    s.add(0, s.grad());
    if (s.wants(1)) s.add(1, index_select(s.grad(), axis, index.value()));
  });
}

Var scatter_add(const Var& x, int axis, const Tensor& index, const Var& source) {
  check_rank("scatter_add", x);
  check_source("scatter_add", x, source);
  check_addable("scatter_add", x);
  axis = check_places("scatter_add", x, axis, index);
  const Var part = covered("scatter_add", source, index);
  Tensor sum = copy(x.value());
  kernels::scatter_add(sum, axis, index.to(i64), part.value());
  return record("scatter_add", std::move(sum), {&x, &part}, [axis, index = Saved(index)](Sink& s) {
    s.add(0, s.grad());
    if (s.wants(1)) s.add(1, gather(s.grad(), axis, index.value()));
  });
}

// What was overwritten gets no gradient, whether it stood in x or in the source.
Var scatter(const Var& x, int axis, const Tensor& index, const Var& source) {
  check_rank("scatter", x);
  check_source("scatter", x, source);
  axis = check_places("scatter", x, axis, index);
  const Var part = covered("scatter", source, index);
  Tensor result = copy(x.value());
  kernels::scatter(result, axis, index.to(i64), part.value());
  return record("scatter", std::move(result), {&x, &part}, [axis, index = Saved(index), shape = x.shape()](Sink& s) {
    const Var g = s.grad();
    const Tensor order = counting(index.value().shape(), axis);
    Tensor writers = Tensor::full(shape, -1, i64);  // which element of the source stays at each place; -1: x's own
    kernels::scatter(writers, axis, index.value().to(i64), order);
    s.add(0, masked_fill(g, kernels::binary(Binary::ge, writers, 0), 0));
    if (!s.wants(1)) return;
    const Tensor lost = kernels::binary(Binary::ne, gather(writers, axis, index.value()).value(), order, "backward");
    s.add(1, masked_fill(gather(g, axis, index.value()), lost, 0));
  });
}

Tensor one_hot(const Tensor& index, std::int64_t classes, DType dtype) {
  check<ValueError>(classes >= 0, "one_hot", "{} classes for index {}", classes, index);
  Sizes sizes(index.shape());
  sizes.append(classes, "one_hot");
  const Shape shape = sizes.shape("one_hot");
  kernels::check_index(index, classes, "one_hot");
  Tensor result = Tensor::zeros(shape, dtype);
  const Tensor places = index.to(i64).reshape({index.numel(), 1});
  Tensor rows = result.reshape({index.numel(), classes});
  kernels::scatter(rows, 1, places, Tensor::ones({}, dtype).expand(places.shape()));
  return result;
}

Tensor sequence_mask(const Tensor& lengths, std::int64_t places) {
  const char* op = "sequence_mask";
  check<ValueError>(places >= 0, op, "{} places for lengths {}; at least 0 are needed", places, lengths);
  check<DTypeError>(lengths.defined() && is_integer(lengths.dtype()), op, "lengths are {}; integers are needed", lengths);
  Sizes sizes(lengths.shape());
  sizes.append(places, op);
  Tensor mask = Tensor::empty(sizes.shape(op), boolean);
  const Tensor dense = lengths.to(i64).contiguous();
  bool* row = mask.mutable_data<bool>();
  for (std::int64_t i = 0; i < dense.numel(); ++i, row += places) {
    const std::int64_t length = dense.data<std::int64_t>()[i];
    check<ValueError>(length >= 0 && length <= places, op, "length {} of row {} is outside 0 to {}", length, i, places);
    std::fill_n(std::fill_n(row, length, true), places - length, false);
  }
  return mask;
}

}  // namespace weft
