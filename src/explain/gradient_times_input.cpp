#include "weft/explain/gradient_times_input.hpp"

#include "explain/gradient_at.hpp"
#include "weft/ops/elementwise.hpp"

namespace weft::explain {

Tensor gradient_times_input(const std::function<Var(const Var&)>& f, const Tensor& input) {
  return (Var(gradient_at("gradient_times_input", f, input)) * Var(input)).value();
}

}  // namespace weft::explain
