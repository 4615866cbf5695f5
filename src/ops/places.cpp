#include "ops/places.hpp"

#include "kernels/pooling.hpp"
#include "weft/autograd/record.hpp"
#include "weft/ops/shape.hpp"

namespace weft {
namespace {

// The transposed map, which is take_places' derivative as that is its.
Var add_at_places(const char* op, const Var& g, const Tensor& index, std::int64_t places) {
  return record(op, kernels::add_at_places(g.value(), index, places), {&g},
                [op, index](Sink& s) { s.add(0, take_places(op, s.grad(), index)); });
}

}  // namespace

Var take_places(const char* op, const Var& x, const Tensor& index, Tensor y) {
  if (!y.defined()) y = kernels::take_places(x.value(), index);
  return record(op, std::move(y), {&x}, [op, index, planes = x.size(0), places = x.size(1)](Sink& s) {
    s.add(0, add_at_places(op, reshape(s.grad(), {planes, index.size(1)}), index, places));
  });
}

}  // namespace weft
