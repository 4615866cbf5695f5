#include "weft/seq2seq/ctc_model.hpp"

#include <algorithm>

#include "base/fail.hpp"
#include "weft/ops/elementwise.hpp"
#include "weft/ops/sequence_loss.hpp"

namespace weft::seq2seq {
namespace {

constexpr const char* where = "CTCModel";

CTCModelOptions checked(const CTCModelOptions& o) {
  check<ValueError>(o.source_size > 0 && o.labels > 0 && o.hidden > 0 && o.layers > 0, where,
                    "source_size {}, {} labels, hidden {}, {} layers; each must be positive", o.source_size, o.labels, o.hidden,
                    o.layers);
  return o;
}

}  // namespace

CTCModel::CTCModel(const CTCModelOptions& options, const nn::Scope& scope)
    : Module(scope),
      options_(checked(options)),
      encoder_(options.recurrent,
               {.input_size = options.source_size,
                .hidden_size = options.hidden,
                .num_layers = options.layers,
                .bidirectional = true,
                .dropout = options.layers > 1 ? options.dropout : 0},
               {this, "encoder"}),
      dropout_({.p = options.dropout}, {this, "dropout"}),
      output_({.in_features = 2 * options.hidden, .out_features = options.labels + 1}, {this, "output"}) {}

Var CTCModel::forward(const Padded& source) {
  const Tensor& x = source.features;
  check<ValueError>(x.defined(), where, "the source has no features");
  check<ShapeError>(x.rank() == 3 && x.size(0) > 0 && x.size(1) > 0 && x.size(2) == options_.source_size, where,
                    "source features {} are not [rows, columns, {}] with one of each at least", x, options_.source_size);
  return output_(dropout_(encoder_(x.to(output_.weight->value().dtype()), source.lengths).output));
}

Var CTCModel::loss(const Padded& source, std::span<const TokenIds* const> targets) {
  const auto rows = static_cast<std::int64_t>(targets.size());
  check<ShapeError>(source.lengths.defined() && source.lengths.shape() == Shape{rows}, where,
                    "{} targets don't fit a source of lengths {}", rows, source.lengths);
  std::int64_t most = 0, all = 0;
  for (std::int64_t r = 0; r < rows; ++r) {
    const TokenIds& labels = *targets[static_cast<std::size_t>(r)];
    const std::int64_t steps = source.lengths.data<std::int64_t>()[r], needed = steps_needed(labels);
    check<ValueError>(!labels.empty(), where, "the target of row {} has no labels", r);
    check<ValueError>(needed <= steps, where, "row {}: {} labels need {} steps, and the source has {}", r, labels.size(),
                      needed, steps);
    most = std::max(most, static_cast<std::int64_t>(labels.size()));
    all += static_cast<std::int64_t>(labels.size());
  }
  Tensor classes = Tensor::zeros({rows, most}, i64), lengths = Tensor::empty({rows}, i64);
  auto *row = classes.mutable_data<std::int64_t>(), *length = lengths.mutable_data<std::int64_t>();
  for (const TokenIds* labels : targets) {
    for (std::size_t i = 0; i < labels->size(); ++i) {
      const std::int32_t label = (*labels)[i];
      check<IndexError>(label >= 0 && label < options_.labels, where, "label {} is outside 0..{}", label, options_.labels - 1);
      row[i] = label + 1;
    }
    row += most;
    *length++ = static_cast<std::int64_t>(labels->size());
  }
  return ctc_loss((*this)(source), classes, source.lengths, lengths, {.reduction = LossReduction::sum}) /
         static_cast<double>(all);
}

std::int64_t CTCModel::steps_needed(const TokenIds& labels) {
  auto steps = static_cast<std::int64_t>(labels.size());
  for (std::size_t i = 1; i < labels.size(); ++i) steps += labels[i] == labels[i - 1] ? 1 : 0;
  return steps;
}

}  // namespace weft::seq2seq
