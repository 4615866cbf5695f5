#pragma once
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "weft/nn/attention/encoded_pooling.hpp"
#include "weft/nn/dropout.hpp"
#include "weft/nn/embedding.hpp"
#include "weft/nn/linear.hpp"
#include "weft/nn/word_dropout.hpp"
#include "weft/seq2seq/batch.hpp"

namespace weft::seq2seq {

/// One of the two levels: words make a sentence, sentences a document.
struct DocumentLevelOptions {
  nn::attention::SequenceEncoder encoder = nn::attention::SequenceEncoder::gru;
  std::int64_t hidden = 32;      ///< of each direction
  std::int64_t kernel_size = 3;  ///< of a convolution
  bool join_input = false;       ///< pools what was read beside what the encoder makes of it
};

struct DocumentClassifierOptions {
  std::int64_t vocabulary = 0;  ///< 0 is the unknown word
  std::int64_t classes = 2;
  std::int64_t embedding = 64;
  double embedding_deviation = 0.1;  ///< embeddings start normal with it; not part of to_json
  DocumentLevelOptions words = {}, sentences = {};
  nn::Normaliser normaliser = nn::Normaliser::softmax;
  double word_dropout = 0;  ///< of words: all places of one word in a batch go or stay together
  double dropout = 0.3;     ///< of the elements of embeddings, sentences and documents
};

std::string to_json(const DocumentClassifierOptions& options);
/// Throws FormatError naming `source` for text that isn't of that form.
DocumentClassifierOptions document_classifier_options_of(const std::string& json, const std::string& source);

/// An encoder by the name that checkpoints and command lines give it: gru, lstm, conv, none. Throws ValueError for a name that
/// none has.
nn::attention::SequenceEncoder parse_encoder(const std::string& name);

/// A document: the ids of each sentence's words.
using Sentences = std::vector<TokenIds>;

/// Documents for one step, their sentences as rows below each other.
struct DocumentBatch {
  Tensor words;      ///< i32 [rows, words], 0 behind a sentence's end
  Tensor lengths;    ///< i64 [rows]: words of each sentence
  Tensor sentences;  ///< i64 [documents]: sentences of each document
};
/// Throws ValueError for no documents, a document without sentences and a sentence without words.
DocumentBatch make_batch(std::span<const Sentences* const> documents);

struct DocumentOutput {
  Var output;            ///< logits [documents, classes]
  Var sentence_weights;  ///< [documents, most sentences], zeros behind a document's end
  Var word_weights;      ///< [rows, words], zeros behind a sentence's end
};

/// Which class a document is of (Yang et al. 2016): at each of two levels an encoder reads the parts and attention pools them,
/// words to a sentence, sentences to the document, of which a linear layer makes logits.
class DocumentClassifier : public nn::Module<DocumentClassifier> {
 public:
  /// Throws ValueError for sizes that can't be.
  explicit DocumentClassifier(const DocumentClassifierOptions& options, const nn::Scope& scope = {});

  /// `presence` [rows, words] multiplies the words' vectors (undefined: 1): how much of each word is there. Throws ShapeError,
  /// DTypeError, ValueError for a batch that doesn't fit itself, IndexError for a word outside the vocabulary.
  DocumentOutput forward(const DocumentBatch& batch, const Var& presence = {});

  const DocumentClassifierOptions& options() const { return options_; }

 private:
  Var embedded(const Tensor& words, const Var& presence);

  DocumentClassifierOptions options_;
  nn::Embedding embedding_;
  nn::WordDropout word_dropout_;
  nn::Dropout dropout_;
  nn::attention::EncodedPooling words_, sentences_;
  nn::Linear output_;
};

}  // namespace weft::seq2seq
