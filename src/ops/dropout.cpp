#include "weft/ops/dropout.hpp"

#include "base/fail.hpp"
#include "ops/dropout_draw.hpp"
#include "weft/autograd/record.hpp"

namespace weft {
namespace {

// The number of x's first row where the batch that x is a part of were whole.
std::int64_t first_row_of(const Shape& x, const Tape& tape, std::int64_t each) {
  if (x.rank() < 2 || x.numel() == 0) return 0;
  return tape.first_row() * each * (x.numel() / (x[0] * x.back()));
}

}  // namespace

std::optional<kernels::DropoutDraw> next_draw(const Shape& shape, double p, std::int64_t each) {
  Tape* tape = Tape::recording();
  if (tape == nullptr || p == 0) return std::nullopt;
  Generator* generator = tape->generator();
  check<TapeError>(generator != nullptr, "dropout", "the tape has no random numbers; make it with Tape tape(generator)");
  return kernels::DropoutDraw{generator->seed(), generator->next(), p, first_row_of(shape, *tape, each)};
}

Var dropout(const Var& x, const kernels::DropoutDraw& draw) {
  return record("dropout", kernels::dropout(x.value(), draw), {&x}, [draw](Sink& s) { s.add(0, dropout(s.grad(), draw)); });
}

Var dropout(const Var& x, double p, std::int64_t each) {
  check<ValueError>(p >= 0 && p <= 1, "dropout", "p is {}; it must be in [0, 1]", p);
  check<DTypeError>(is_floating(x.dtype()), "dropout", "the input is {}; f32 or f64 is needed", x.value());
  const auto draw = next_draw(x.shape(), p, each);
  if (!draw) return x;
  if (p < 1) return dropout(x, *draw);
  return record("dropout", Tensor::zeros(x.shape(), x.dtype()), {&x},
                [](Sink& s) { s.add(0, Tensor::zeros(s.grad().shape(), s.grad().dtype())); });
}

Var dropout(const Var& x, double p) { return dropout(x, p, 1); }

}  // namespace weft
