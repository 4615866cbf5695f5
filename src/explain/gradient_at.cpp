#include "explain/gradient_at.hpp"

#include "base/fail.hpp"
#include "weft/autograd/grad.hpp"
#include "weft/autograd/tape.hpp"

namespace weft::explain {

Tensor gradient_at(const char* op, const std::function<Var(const Var&)>& f, const Tensor& x) {
  Generator generator(0);  // tells whether f draws
  Tape tape(generator);
  const Var leaf = tape.leaf(x), output = f(leaf);
  check<TapeError>(generator.position() == 0, op,
                   "f draws random numbers, as dropout does in training mode; call the model's eval() before");
  check<ShapeError>(output.numel() == 1, op, "f gives {}, not one element", output.value());
  if (!output.requires_grad()) return Tensor::zeros(x.shape(), x.dtype());
  return grad(output, {leaf}).front().value();
}

}  // namespace weft::explain
