#include "weft/nn/highway.hpp"

#include "base/fail.hpp"
#include "weft/ops/elementwise.hpp"

namespace weft::nn {

Var mix_highway(const char* type, const Var& x, const Var& part, const Var& gate) {
  check<ValueError>(x.defined() && part.defined() && gate.defined(), type, "{} is undefined",
                    !x.defined()      ? "the input"
                    : !part.defined() ? "the module's output"
                                      : "the gate");
  check<ShapeError>(part.shape() == x.shape(), type, "the module made {} of input {}; a highway needs one shape", part.value(),
                    x.value());
  check<ShapeError>(gate.shape() == x.shape(), type, "the gate {} doesn't fit input {}", gate.value(), x.value());
  return x + sigmoid(gate) * (part - x);
}

}  // namespace weft::nn
