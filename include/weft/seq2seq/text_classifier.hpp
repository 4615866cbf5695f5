#pragma once
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "weft/data/documents.hpp"
#include "weft/seq2seq/document_classifier.hpp"
#include "weft/tensor/safetensors.hpp"
#include "weft/text/symbols.hpp"

namespace weft::seq2seq {

/// Sentences of words.
using SentenceWords = std::vector<std::vector<std::string>>;

/// What a classifier reads of a text's lines: words in lower case, punctuation apart (as metrics::Tokenization::v13a), what is
/// beyond `max_words` of a line as a sentence of its own, lines without words left out. Throws FormatError for what isn't
/// UTF-8, ValueError unless max_words is positive.
SentenceWords sentence_words(std::span<const std::string> lines, std::int64_t max_words);

/// The words of the documents that occur `least` times in all of them.
text::Symbols document_symbols(std::span<const data::Document> documents, std::int64_t least);

/// What a classifier says of a text, and what it looked at.
struct Classification {
  std::int64_t label = 0;             ///< the likeliest class
  std::vector<double> probabilities;  ///< of each class
  std::vector<double> sentence_weights;
  std::vector<std::vector<double>> word_weights;  ///< of each sentence's words
};

/// A document classifier with its vocabulary and the names of its classes.
class TextClassifier {
 public:
  struct Vocabulary {
    text::Symbols symbols;
    std::vector<std::string> classes;
    std::int64_t max_words = 40;  ///< of a sentence: see sentence_words
  };
  /// Vocabulary and classes of `options` are those of `vocabulary`. Throws ValueError for sizes that can't be.
  TextClassifier(DocumentClassifierOptions options, Vocabulary vocabulary, std::uint64_t seed = 1);

  /// From the folder of a training run. Throws IoError, FormatError.
  static std::unique_ptr<TextClassifier> load(const std::filesystem::path& folder);

  SentenceWords words(std::span<const std::string> lines) const { return sentence_words(lines, vocabulary_.max_words); }
  Sentences encode(const SentenceWords& words) const;

  /// Of each text, `batch` of them at a time; dropout is off. Throws ValueError for a text without words.
  std::vector<Classification> classify(std::span<const Sentences> texts, std::int64_t batch = 16);

  DocumentClassifier& model() { return model_; }
  const Vocabulary& vocabulary() const { return vocabulary_; }
  /// What a checkpoint says of itself.
  Metadata metadata() const;
  /// What else the checkpoint that it comes from says.
  const Metadata& loaded() const { return loaded_; }

 private:
  Vocabulary vocabulary_;
  DocumentClassifier model_;
  Metadata loaded_;
};

}  // namespace weft::seq2seq
