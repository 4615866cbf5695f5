#include "autograd/linear_maps.hpp"

#include "kernels/elementwise.hpp"
#include "kernels/reduce.hpp"
#include "kernels/rows.hpp"
#include "weft/autograd/record.hpp"

namespace weft::maps {

Var add_same(const Var& a, const Var& b) {
  return record("add", kernels::add(a.value(), b.value()), {&a, &b}, [](Sink& s) {
    s.add(0, s.grad());
    s.add(1, s.grad());
  });
}

Var sum_to(const Var& x, const Shape& shape) {
  return record("sum_to", kernels::sum_to(x.value(), shape), {&x},
                [from = x.shape()](Sink& s) { s.add(0, expand(s.grad(), from)); });
}

Var expand(const Var& x, const Shape& shape) {
  return record("expand", x.value().expand(shape), {&x}, [from = x.shape()](Sink& s) { s.add(0, sum_to(s.grad(), from)); });
}

Var slice(const Var& x, int axis, std::int64_t start, std::int64_t stop) {
  axis = x.shape().axis(axis, "slice");
  return record("slice", x.value().slice(axis, start, stop), {&x},
                [axis, start](Sink& s) { s.add_slice(0, axis, start, s.grad()); });
}

Var unslice(const Var& x, int axis, std::int64_t start, std::int64_t size) {
  axis = x.shape().axis(axis, "unslice");
  Tensor whole = Tensor::zeros(x.shape().with(axis, size), x.dtype());
  whole.slice(axis, start, start + x.size(axis)).copy_from(x.value());
  return record("unslice", std::move(whole), {&x},
                [axis, start, length = x.size(axis)](Sink& s) { s.add(0, slice(s.grad(), axis, start, start + length)); });
}

Var gather_rows(const Var& table, const Tensor& index) {
  return record("gather_rows", kernels::gather_rows(table.value(), index, "gather_rows"), {&table},
                [index = Saved(index)](Sink& s) { s.add_rows(0, index.value(), s.grad()); });
}

Var scatter_rows(const Var& rows, const Tensor& index, std::int64_t count) {
  return record("scatter_rows", kernels::scatter_rows(rows.value(), index, count, "scatter_rows"), {&rows},
                [index = Saved(index)](Sink& s) { s.add(0, gather_rows(s.grad(), index.value())); });
}

}  // namespace weft::maps
