#pragma once
#include <cstdint>
#include <span>

#include "weft/nn/any_recurrent.hpp"
#include "weft/nn/dropout.hpp"
#include "weft/nn/linear.hpp"
#include "weft/seq2seq/batch.hpp"

namespace weft::seq2seq {

struct CTCModelOptions {
  std::int64_t source_size = 0;  ///< of the source's features
  std::int64_t labels = 0;       ///< classes are one more: 0 is the blank, label i is class i + 1
  std::int64_t hidden = 128;     ///< of each direction
  std::int64_t layers = 2;
  nn::RecurrentKind recurrent = nn::RecurrentKind::lstm;
  double dropout = 0;  ///< between layers and before the output
};

/// Layers of bidirectional LSTM or GRU with a class for each step (Graves et al. 2013), trained by CTC (Graves et al. 2006).
class CTCModel : public nn::Module<CTCModel> {
 public:
  /// Throws ValueError for sizes that can't be.
  explicit CTCModel(const CTCModelOptions& options, const nn::Scope& scope = {});

  /// Features [rows, columns, source_size] -> logits [rows, columns, labels + 1]; what stands behind a row's length means
  /// nothing.
  Var forward(const Padded& source);
  /// ctc_loss of labels (from 0), summed over the rows and divided by the number of labels. Throws ValueError naming the row
  /// for a target without labels and for one that its row's steps don't hold, IndexError for a label that is none.
  Var loss(const Padded& source, std::span<const TokenIds* const> targets);

  /// Steps that a row of labels needs at least: one for each, and one between equal neighbours.
  static std::int64_t steps_needed(const TokenIds& labels);

  const CTCModelOptions& options() const { return options_; }

 private:
  CTCModelOptions options_;
  nn::AnyRecurrent encoder_;
  nn::Dropout dropout_;
  nn::Linear output_;
};

}  // namespace weft::seq2seq
