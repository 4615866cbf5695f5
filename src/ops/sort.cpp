#include "weft/ops/sort.hpp"

#include "base/fail.hpp"
#include "kernels/sort.hpp"
#include "weft/ops/index.hpp"
#include "weft/ops/shape.hpp"

namespace weft {
namespace {

void check_defined(const char* op, const Var& x) { check<ValueError>(x.defined(), op, "the input is undefined"); }

// Of a scalar the index is 0.
Tensor order(const char* op, const Var& x, int axis, bool descending) {
  check_defined(op, x);
  if (x.rank() == 0) return order(op, reshape(x, {1}), axis, descending).reshape({});
  return kernels::argsort(x.value(), x.shape().axis(axis, op), descending);
}

}  // namespace

Tensor argsort(const Var& x, int axis, bool descending) { return order("argsort", x, axis, descending); }

// The order is constant in pieces, so the gradient is that of picking the elements.
SortResult sort(const Var& x, int axis, bool descending) {
  const Tensor indices = order("sort", x, axis, descending);
  return {x.rank() == 0 ? x : gather(x, axis, indices), indices};
}

SortResult topk(const Var& x, std::int64_t k, int axis, bool largest, bool sorted) {
  check_defined("topk", x);
  if (x.rank() == 0) {
    const SortResult row = topk(reshape(x, {1}), k, axis, largest, sorted);
    return k == 1 ? SortResult{x, row.indices.reshape({})} : row;
  }
  axis = x.shape().axis(axis, "topk");
  check<ValueError>(k >= 0 && k <= x.size(axis), "topk", "k is {}; axis {} of {} has {} elements", k, axis, x, x.size(axis));
  const Tensor indices = kernels::topk(x.value(), k, axis, largest, sorted);
  return {gather(x, axis, indices), indices};
}

}  // namespace weft
