#include "weft/ops/sequence_loss.hpp"

#include <algorithm>

#include "kernels/ctc.hpp"
#include "kernels/elementwise.hpp"
#include "kernels/transducer.hpp"
#include "ops/loss_support.hpp"
#include "weft/autograd/record.hpp"
#include "weft/ops/elementwise.hpp"

namespace weft {
namespace {

using kernels::Alignment;
using kernels::AlignmentSums;

// Lengths of `rows` rows, each in 0..most; `most` where none are given.
Tensor own_lengths(const char* op, const char* name, const Tensor& lengths, std::int64_t rows, std::int64_t most,
                   const Tensor& logits) {
  if (!lengths.defined()) return Tensor::full({rows}, static_cast<double>(most), i64);
  Tensor own = detail::own_integers(op, {name, lengths});
  check<ShapeError>(lengths.shape() == Shape{rows}, op, "{} {} don't fit logits {}: one a row is needed", name, lengths.shape(),
                    logits.shape());
  for (std::int64_t row = 0; row < rows; ++row) {
    const std::int64_t length = own.data<std::int64_t>()[row];
    check<ValueError>(length >= 0 && length <= most, op, "length {} of row {} in {} is outside 0 to {} (logits {})", length,
                      row, name, most, logits.shape());
  }
  return own;
}

void check_targets(const char* op, const Alignment& a, std::int64_t classes) {
  const std::int64_t most = a.targets.size(1);
  for (std::int64_t row = 0; row < a.targets.size(0); ++row) {
    for (std::int64_t i = 0; i < a.target_lengths.data<std::int64_t>()[row]; ++i) {
      const std::int64_t target = a.targets.data<std::int64_t>()[row * most + i];
      check<IndexError>(target >= 0 && target < classes, op, "target {} at [{}, {}] is outside 0 to {} (targets {})", target,
                        row, i, classes - 1, a.targets.shape());
      check<ValueError>(target != a.blank, op, "the target at [{}, {}] is the blank, {} (targets {}); labels are other classes",
                        row, i, a.blank, a.targets.shape());
    }
  }
}

Alignment alignment_of(const char* op, const Tensor& logits, int rank, const Tensor& targets, const Tensor& input_lengths,
                       const Tensor& target_lengths, const SequenceLossOptions& options) {
  detail::check_one_dtype(op, {{"logits", logits}});
  detail::check_defined(op, {{"targets", targets}});
  const bool fits = logits.rank() == rank && targets.rank() == 2 && targets.size(0) == logits.size(0) &&
                    (rank == 3 || logits.size(2) == targets.size(1) + 1);
  check<ShapeError>(fits, op, "logits {} and targets {} don't fit: {} and [batch, most] are needed", logits.shape(),
                    targets.shape(), rank == 3 ? "[batch, time, classes]" : "[batch, time, most + 1, classes]");
  const std::int64_t batch = logits.size(0), classes = logits.size(-1);
  check<IndexError>(options.blank >= 0 && options.blank < classes, op, "blank {} is outside 0 to {} (logits {})", options.blank,
                    classes - 1, logits.shape());
  Alignment a{.targets = detail::own_integers(op, {"targets", targets}),
              .input_lengths = own_lengths(op, "input_lengths", input_lengths, batch, logits.size(1), logits),
              .target_lengths = own_lengths(op, "target_lengths", target_lengths, batch, targets.size(1), logits),
              .blank = options.blank,
              .zero_infinity = options.zero_infinity};
  check_targets(op, a, classes);
  return a;
}

using Backward = Tensor (*)(const Tensor&, const Alignment&, const AlignmentSums&, const Tensor&);

// The losses of the rows, whose gradient the kernel computes from the sums that it made.
Var losses_of(const char* op, const Var& logits, const Alignment& a, const AlignmentSums& sums, Backward backward) {
  return record(op, sums.losses, {&logits}, [op, backward, logits = Saved(logits), a, sums](Sink& s) {
    check<TapeError>(!s.recording(), op, "its backward pass can't be recorded (create_graph): it has no second derivative");
    s.add(0, backward(kernels::dense(logits.value()), a, sums, kernels::dense(s.grad().value())));
  });
}

}  // namespace

Var ctc_loss(const Var& logits, const Tensor& targets, const Tensor& input_lengths, const Tensor& target_lengths,
             const SequenceLossOptions& options) {
  const Alignment a = alignment_of("ctc_loss", logits.value(), 3, targets, input_lengths, target_lengths, options);
  const AlignmentSums sums = kernels::ctc_loss(kernels::dense(logits.value()), a);
  const Var losses = losses_of("ctc_loss", logits, a, sums, kernels::ctc_loss_backward);
  if (options.reduction != LossReduction::mean) return detail::reduce_loss(losses, options.reduction);
  const Tensor divisors = kernels::binary(kernels::Binary::maximum, a.target_lengths.to(logits.dtype()), 1.0);
  return detail::reduce_loss(losses / divisors, LossReduction::mean);
}

Var transducer_loss(const Var& logits, const Tensor& targets, const Tensor& input_lengths, const Tensor& target_lengths,
                    const SequenceLossOptions& options) {
  const Alignment a = alignment_of("transducer_loss", logits.value(), 4, targets, input_lengths, target_lengths, options);
  const AlignmentSums sums = kernels::transducer_loss(kernels::dense(logits.value()), a);
  return detail::reduce_loss(losses_of("transducer_loss", logits, a, sums, kernels::transducer_loss_backward),
                             options.reduction);
}

}  // namespace weft
