#include "weft/explain/gradient_times_input.hpp"

#include "base/fail.hpp"
#include "weft/autograd/grad.hpp"
#include "weft/autograd/tape.hpp"
#include "weft/ops/elementwise.hpp"

namespace weft::explain {

Tensor gradient_times_input(const std::function<Var(const Var&)>& f, const Tensor& input) {
  Tape tape;
  const Var x = tape.leaf(input), output = f(x);
  check<ShapeError>(output.numel() == 1, "gradient_times_input", "f gives {}, not one element", output.value());
  if (!output.requires_grad()) return Tensor::zeros(input.shape(), input.dtype());
  return (grad(output, {x}).front().detach() * Var(input)).value();
}

}  // namespace weft::explain
