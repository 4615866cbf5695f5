// A program outside the project: two tensors, a tape, a gradient.
#include <cstdio>
#include <weft/weft.hpp>

int main() {
  weft::Tape tape;
  const weft::Var x = tape.leaf(weft::Tensor::from<float>({1, 2, 3}, {3}));
  const weft::Var w = weft::Tensor::from<float>({4, 5, 6}, {3});
  tape.backward(weft::sum(x * w));
  std::printf("%s\n", tape.grad(x).str().c_str());
}
