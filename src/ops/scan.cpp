#include "weft/ops/scan.hpp"

#include "base/fail.hpp"
#include "kernels/scan.hpp"
#include "weft/autograd/record.hpp"
#include "weft/ops/shape.hpp"

namespace weft {

// Each element stands in the sums behind it: dx = cumsum(g) from the end.
Var cumsum(const Var& x, int axis) {
  check<ValueError>(x.defined(), "cumsum", "the input is undefined");
  if (x.rank() == 0) return reshape(cumsum(reshape(x, {1}), axis), {});
  axis = x.shape().axis(axis, "cumsum");
  return record("cumsum", kernels::cumsum(x.value(), axis), {&x},
                [axis](Sink& s) { s.add(0, flip(cumsum(flip(s.grad(), axis), axis), axis)); });
}

}  // namespace weft
