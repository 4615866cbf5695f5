#pragma once
#include <cstdint>
#include <span>
#include <vector>

#include "weft/nn/any_recurrent.hpp"
#include "weft/nn/dropout.hpp"
#include "weft/nn/embedding.hpp"
#include "weft/nn/linear.hpp"
#include "weft/nn/transducer_decode.hpp"
#include "weft/seq2seq/batch.hpp"

namespace weft::seq2seq {

struct LabelBatch;  // of a batch's rows, padded

struct TransducerModelOptions {
  std::int64_t source_size = 0;  ///< of the source's features
  std::int64_t labels = 0;       ///< classes are one more: 0 is the blank, label i is class i + 1
  std::int64_t hidden = 128;     ///< of each direction of the encoder
  std::int64_t layers = 2;       ///< of the encoder
  std::int64_t embedding = 64;   ///< of a label
  std::int64_t prediction = 128;
  std::int64_t joint = 128;
  nn::RecurrentKind recurrent = nn::RecurrentKind::lstm;  ///< of encoder and prediction network
  double dropout = 0;                                     ///< between the encoder's layers, before and behind the joint sum
};

/// RNN transducer (Graves 2012): an encoder of bidirectional LSTM or GRU layers over the source, a prediction network, one
/// layer over the labels so far, and for each frame t and number of labels u the classes softmax(W tanh(U encoder_t + V
/// prediction_u + b) + c). Trained by transducer_loss; a label needs no frame of its own.
class TransducerModel : public nn::Module<TransducerModel> {
 public:
  /// Throws ValueError for sizes that can't be.
  explicit TransducerModel(const TransducerModelOptions& options, const nn::Scope& scope = {});

  /// Features [rows, columns, source_size] and labels (from 0) of each row -> logits [rows, columns, most labels + 1, labels +
  /// 1]; what stands behind a row's lengths means nothing. Throws what `loss` does.
  Var forward(const Padded& source, std::span<const TokenIds* const> targets);
  /// transducer_loss, summed over the rows and divided by the number of labels. Throws ValueError for a target without labels,
  /// IndexError for a label that is none.
  Var loss(const Padded& source, std::span<const TokenIds* const> targets);

  /// The labels (from 0) of each row: greedily, or by a beam over the summed probability of all alignments. Nothing is
  /// recorded. Throws what transducer_greedy and transducer_beam_search do.
  std::vector<nn::DecodedLabels> transcribe(const Padded& source, std::int64_t beam = 1, std::int64_t max_labels = 100);

  const TransducerModelOptions& options() const { return options_; }

 private:
  class Predictions;
  Var logits(const Padded& source, const LabelBatch& labels);
  Var encoded(const Padded& source);  // [rows, columns, joint]
  Var classes_of(const Var& sums);    // logits of the joint network's sums [..., joint]

  TransducerModelOptions options_;
  nn::AnyRecurrent encoder_;
  nn::Embedding embedding_;  // of classes; 0 stands before the first label
  nn::AnyRecurrent prediction_;
  nn::Linear from_encoder_, from_prediction_, output_;
  nn::Dropout dropout_;
};

}  // namespace weft::seq2seq
