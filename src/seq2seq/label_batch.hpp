#pragma once
#include <algorithm>
#include <span>

#include "base/fail.hpp"
#include "weft/seq2seq/batch.hpp"

namespace weft::seq2seq {

/// Labels of a batch's rows as the classes of a sequence loss: label i is class i + 1, as 0 is the blank.
struct LabelBatch {
  Tensor classes;          ///< i64 [rows, most], zeros behind a row's end
  Tensor lengths;          ///< i64 [rows]
  std::int64_t count = 0;  ///< of all labels
};

/// Throws ShapeError for another number of rows than the source's, ValueError for a row without labels, IndexError for a label
/// that is none of `labels`.
inline LabelBatch label_batch(const char* where, const Padded& source, std::span<const TokenIds* const> targets,
                              std::int64_t labels) {
  const auto rows = static_cast<std::int64_t>(targets.size());
  check<ShapeError>(source.lengths.defined() && source.lengths.shape() == Shape{rows}, where,
                    "{} targets don't fit a source of lengths {}", rows, source.lengths);
  std::int64_t most = 0;
  LabelBatch batch;
  for (std::int64_t r = 0; r < rows; ++r) {
    const TokenIds& row = *targets[static_cast<std::size_t>(r)];
    check<ValueError>(!row.empty(), where, "the target of row {} has no labels", r);
    for (const std::int32_t label : row)
      check<IndexError>(label >= 0 && label < labels, where, "label {} is outside 0..{}", label, labels - 1);
    most = std::max(most, static_cast<std::int64_t>(row.size()));
    batch.count += static_cast<std::int64_t>(row.size());
  }
  batch.classes = Tensor::zeros({rows, most}, i64);
  batch.lengths = Tensor::empty({rows}, i64);
  auto *classes = batch.classes.mutable_data<std::int64_t>(), *length = batch.lengths.mutable_data<std::int64_t>();
  for (const TokenIds* row : targets) {
    for (std::size_t i = 0; i < row->size(); ++i) classes[i] = (*row)[i] + 1;
    classes += most;
    *length++ = static_cast<std::int64_t>(row->size());
  }
  return batch;
}

}  // namespace weft::seq2seq
