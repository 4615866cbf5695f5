#include "weft/nn/dropout.hpp"

#include "base/fail.hpp"
#include "weft/ops/dropout.hpp"

namespace weft::nn {

Dropout::Dropout(const DropoutOptions& options, const Scope& scope) : Module(scope), p_(options.p) {
  check<ValueError>(p_ >= 0 && p_ <= 1, "Dropout", "p is {}; a probability from 0 to 1 is needed", p_);
}

Var Dropout::forward(const Var& x) { return training() ? dropout(x, p_) : x; }

}  // namespace weft::nn
