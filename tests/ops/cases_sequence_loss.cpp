#include "ops/case_values.hpp"
#include "ops/cases.hpp"
#include "weft/ops/elementwise.hpp"
#include "weft/ops/reduce.hpp"
#include "weft/ops/sequence_loss.hpp"

namespace weft::test {
namespace {

using Inputs = std::vector<Var>;
using Loss = Var (*)(const Var&, const Tensor&, const Tensor&, const Tensor&, const SequenceLossOptions&);

Tensor values(const Shape& shape, double start = 0.5) { return spread(shape, -2, 2, start); }

Tensor integers(std::initializer_list<std::int64_t> numbers, const Shape& shape) { return Tensor::from(numbers, shape); }

Tensor lengths(std::initializer_list<std::int64_t> numbers) {
  return integers(numbers, {static_cast<std::int64_t>(numbers.size())});
}

}  // namespace

void add_sequence_loss_cases(std::vector<Case>& to) {
  const auto row = [&](const char* op, Loss loss, const char* variant, Tensor logits, const Tensor& targets,
                       const Tensor& input_lengths = {}, const Tensor& target_lengths = {}, SequenceLossOptions options = {}) {
    to.push_back({.op = op,
                  .variant = variant,
                  .function = [=](const Inputs& in) { return loss(in[0], targets, input_lengths, target_lengths, options); },
                  .inputs = {std::move(logits)},
                  .second_order = false});
  };
  const Tensor two = integers({1, 2, 3, 1}, {2, 2}), one = integers({2, 1}, {2, 1});
  const auto ctc = [&](const char* variant, auto... rest) { row("ctc_loss", ctc_loss, variant, rest...); };
  ctc("mean", values({2, 5, 4}), two);
  ctc("sum", values({2, 5, 4}), two, Tensor(), Tensor(), SequenceLossOptions{.reduction = LossReduction::sum});
  ctc("none", values({2, 5, 4}), two, Tensor(), Tensor(), SequenceLossOptions{.reduction = LossReduction::none});
  ctc("lengths", values({2, 5, 4}), two, lengths({5, 3}), lengths({1, 2}));
  ctc("i32", values({2, 4, 4}), two.to(i32), lengths({4, 3}).to(i32), lengths({2, 1}).to(i32));
  ctc("the last class is the blank", values({2, 4, 5}), two, lengths({4, 2}), Tensor(), SequenceLossOptions{.blank = 4});
  ctc("equal neighbours", values({1, 6, 3}), integers({1, 1, 1}, {1, 3}));
  ctc("no slack", values({1, 3, 3}), integers({2, 2}, {1, 2}));
  ctc("a target without labels", values({2, 3, 3}), one, Tensor(), lengths({0, 1}));
  ctc("lengths of 0", values({3, 3, 3}), integers({1, 1, 2}, {3, 1}), lengths({0, 3, 2}), lengths({0, 0, 1}));
  ctc("too short, zero_infinity", values({2, 3, 4}), integers({1, 1, 3, 2}, {2, 2}), lengths({2, 3}), Tensor(),
      SequenceLossOptions{.zero_infinity = true});
  ctc("all too short", values({1, 2, 3}), integers({1, 1}, {1, 2}), Tensor(), Tensor(),
      SequenceLossOptions{.zero_infinity = true});
  ctc("size 0: no rows", values({0, 3, 4}), Tensor::empty({0, 2}, i64));
  ctc("size 0: no frames", values({2, 0, 4}), Tensor::empty({2, 0}, i64));
  ctc("size 1", values({1, 1, 1}), Tensor::empty({1, 0}, i64));
  ctc("wide", values({2, 4, 37}), integers({36, 5, 17, 18}, {2, 2}));
  ctc("time first", values({5, 2, 4}).transpose(0, 1), two, lengths({4, 5}));
  ctc("strided", spread({2, 5, 4, 2}, -2, 2).select(3, 1), two);
  ctc("flipped", values({2, 5, 4}).flip(2), two);
  ctc("sliced", values({4, 7, 6}).slice(0, 1, 3).slice(1, 1, 6).slice(2, 1, 5), two);
  to.push_back({.op = "ctc_loss",
                .variant = "repeated operand",
                .function = [two](const Inputs& in) { return ctc_loss(in[0] * in[0], two) * sum(in[0]); },
                .inputs = {values({2, 4, 4})},
                .second_order = false});

  const auto transducer = [&](const char* variant, auto... rest) { row("transducer_loss", transducer_loss, variant, rest...); };
  transducer("mean", values({2, 3, 3, 4}), two);
  transducer("sum", values({2, 3, 3, 4}), two, Tensor(), Tensor(), SequenceLossOptions{.reduction = LossReduction::sum});
  transducer("none", values({2, 3, 3, 4}), two, Tensor(), Tensor(), SequenceLossOptions{.reduction = LossReduction::none});
  transducer("lengths", values({2, 4, 3, 4}), two, lengths({4, 2}), lengths({1, 2}));
  transducer("i32", values({2, 3, 3, 4}), two.to(i32), lengths({3, 2}).to(i32), lengths({2, 1}).to(i32));
  transducer("the last class is the blank", values({2, 3, 3, 5}), two, lengths({3, 2}), Tensor(),
             SequenceLossOptions{.blank = 4});
  transducer("equal neighbours", values({1, 3, 4, 3}), integers({1, 1, 1}, {1, 3}));
  transducer("one frame", values({1, 1, 3, 3}), integers({2, 1}, {1, 2}));
  transducer("a target without labels", values({2, 3, 2, 3}), one, Tensor(), lengths({0, 1}));
  transducer("lengths of 0", values({3, 2, 2, 3}), integers({1, 1, 2}, {3, 1}), lengths({0, 2, 1}), lengths({0, 0, 1}));
  transducer("labels without frames, zero_infinity", values({2, 2, 2, 3}), one, lengths({0, 2}), Tensor(),
             SequenceLossOptions{.zero_infinity = true});
  transducer("size 0: no rows", values({0, 3, 3, 4}), Tensor::empty({0, 2}, i64));
  transducer("size 0: no frames", values({2, 0, 1, 4}), Tensor::empty({2, 0}, i64));
  transducer("size 1", values({1, 1, 1, 1}), Tensor::empty({1, 0}, i64));
  transducer("wide", values({1, 2, 3, 37}), integers({36, 5}, {1, 2}));
  transducer("time first", values({3, 2, 3, 4}).transpose(0, 1), two, lengths({2, 3}));
  transducer("strided", spread({2, 3, 3, 4, 2}, -2, 2).select(4, 1), two);
  transducer("flipped", values({2, 3, 3, 4}).flip(3), two);
  to.push_back({.op = "transducer_loss",
                .variant = "repeated operand",
                .function = [two](const Inputs& in) { return transducer_loss(in[0] * in[0], two) * sum(in[0]); },
                .inputs = {values({2, 2, 3, 4})},
                .second_order = false});
}

}  // namespace weft::test
