#include "weft/nn/residual.hpp"

#include "base/fail.hpp"
#include "weft/ops/elementwise.hpp"

namespace weft::nn {

Var add_residual(const char* type, const Var& x, const Var& part) {
  check<ValueError>(x.defined() && part.defined(), type, "{} is undefined", x.defined() ? "the module's output" : "the input");
  check<ShapeError>(part.shape() == x.shape(), type, "the module made {} of input {}; a residual connection needs one shape",
                    part.value(), x.value());
  return x + part;
}

}  // namespace weft::nn
