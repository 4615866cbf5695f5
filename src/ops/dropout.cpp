#include "weft/ops/dropout.hpp"

#include "base/fail.hpp"
#include "kernels/dropout.hpp"
#include "weft/autograd/record.hpp"

namespace weft {
namespace {

// Linear in x, so it is its own derivative with the same draw.
Var apply(const Var& x, const kernels::DropoutDraw& draw) {
  return record("dropout", kernels::dropout(x.value(), draw), {&x}, [draw](Sink& s) { s.add(0, apply(s.grad(), draw)); });
}

// The number of x's first row where the batch that x is a part of were whole.
std::int64_t first_row_of(const Shape& x, const Tape& tape) {
  if (x.rank() < 2 || x.numel() == 0) return 0;
  return tape.first_row() * (x.numel() / (x[0] * x.back()));
}

}  // namespace

Var dropout(const Var& x, double p) {
  check<ValueError>(p >= 0 && p <= 1, "dropout", "p is {}; it must be in [0, 1]", p);
  check<DTypeError>(is_floating(x.dtype()), "dropout", "the input is {}; f32 or f64 is needed", x.value());
  Tape* tape = Tape::recording();
  if (tape == nullptr || p == 0) return x;
  Generator* generator = tape->generator();
  check<TapeError>(generator != nullptr, "dropout", "the tape has no random numbers; make it with Tape tape(generator)");
  const kernels::DropoutDraw draw{generator->seed(), generator->next(), p, first_row_of(x.shape(), *tape)};
  if (p < 1) return apply(x, draw);
  return record("dropout", Tensor::zeros(x.shape(), x.dtype()), {&x},
                [](Sink& s) { s.add(0, Tensor::zeros(s.grad().shape(), s.grad().dtype())); });
}

}  // namespace weft
