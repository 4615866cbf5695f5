#include "weft/seq2seq/ctc_model.hpp"

#include "base/fail.hpp"
#include "ops/lengths.hpp"
#include "seq2seq/feature_encoder.hpp"
#include "seq2seq/label_batch.hpp"
#include "weft/ops/elementwise.hpp"
#include "weft/ops/sequence_loss.hpp"

namespace weft::seq2seq {
namespace {

constexpr const char* where = "CTCModel";

}  // namespace

CTCModel::CTCModel(const CTCModelOptions& options, const nn::Scope& scope)
    : Module(scope),
      options_(with_positive_sizes(where, options)),
      encoder_(options.recurrent, encoder_options(options), {this, "encoder"}),
      dropout_({.p = options.dropout}, {this, "dropout"}),
      output_({.in_features = 2 * options.hidden, .out_features = options.labels + 1}, {this, "output"}) {}

Var CTCModel::forward(const Padded& source) {
  const Tensor& x = checked_features(where, source, options_.source_size);
  return output_(dropout_(encoder_(x.to(output_.weight->value().dtype()), source.lengths).output));
}

Var CTCModel::loss(const Padded& source, std::span<const TokenIds* const> targets) {
  const LabelBatch labels = label_batch(where, source, targets, options_.labels);
  const Tensor lengths =
      checked_lengths(where, source.lengths, "source", checked_features(where, source, options_.source_size), 1);
  for (std::size_t r = 0; r < targets.size(); ++r) {
    const std::int64_t steps = lengths.data<std::int64_t>()[r], needed = steps_needed(*targets[r]);
    check<ValueError>(needed <= steps, where, "row {}: {} labels need {} steps, and the source has {}", r, targets[r]->size(),
                      needed, steps);
  }
  return ctc_loss((*this)(source), labels.classes, lengths, labels.lengths, {.reduction = LossReduction::sum}) /
         static_cast<double>(labels.count);
}

std::int64_t CTCModel::steps_needed(const TokenIds& labels) {
  auto steps = static_cast<std::int64_t>(labels.size());
  for (std::size_t i = 1; i < labels.size(); ++i) steps += labels[i] == labels[i - 1] ? 1 : 0;
  return steps;
}

}  // namespace weft::seq2seq
