// One scalar and its derivatives: y = x^3 - 2x has y' = 3x^2 - 2 and y'' = 6x.
//
//   01_scalar
#include <fmt/format.h>

#include <weft/weft.hpp>

int main() {
  weft::Tape tape;  // records while it lives
  const weft::Var x = tape.leaf(weft::Tensor::full({}, 2, weft::f64));
  const weft::Var y = x * x * x - 2 * x;

  // With create_graph the backward pass is recorded too, so its result can be differentiated again.
  tape.backward(y, {.create_graph = true});
  const weft::Var slope = tape.grad_var(x);
  tape.backward(slope);
  const double curvature = tape.grad(x).item();

  fmt::print("x = {}, y = {}, y' = {}, y'' = {}\n", x.item(), y.item(), slope.item(), curvature);
  return y.item() == 4 && slope.item() == 10 && curvature == 12 ? 0 : 1;
}
