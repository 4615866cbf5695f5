// A program outside the project: two tensors, a tape, a gradient.
#include <cstdio>
#include <weft/weft.hpp>

int main() {
  const weft::Tensor x = weft::Tensor::of({1.0F, 2.0F, 3.0F}), w = weft::Tensor::of({4.0F, 5.0F, 6.0F});
  weft::Tape tape;
  const weft::Var a = tape.leaf(x), b = tape.leaf(w);
  tape.backward(weft::sum(a * b));
  std::printf("%s\n", tape.gradient(a).str().c_str());
}
