#pragma once
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "weft/seq2seq/beam_search.hpp"
#include "weft/seq2seq/encoder_decoder.hpp"
#include "weft/seq2seq/ensemble.hpp"
#include "weft/text/extended_vocabulary.hpp"

namespace weft::seq2seq {

struct SummarizeOptions {
  BeamSearchOptions search = {.max_length = 30};
  std::int64_t batch = 64;        ///< texts at a time
  std::int64_t max_source = 100;  ///< words of a text that are read
};

/// A summary and, where attention was asked for, how it came about.
struct Summary {
  std::string text;  ///< words with a space between; words that the model only knows to be unknown left out
  double score = 0;  ///< its hypothesis'
  std::vector<std::string> source_words;  ///< that were read
  std::vector<std::string> words;         ///< that were said; the last is the end
  Tensor attention;                       ///< f32 [words, source words], where asked for
  Tensor generate, copied;  ///< f32 [words], as EncoderDecoder::Copying, of a model that copies; an ensemble's first
};

/// A text as summaries are made of and scored by: in lower case (text::lower), its words with a space between (text::words).
/// Throws FormatError for a text that isn't UTF-8.
std::string as_words(const std::string& text);

/// A model with its vocabulary of words.
class Summarizer {
 public:
  /// Throws ValueError where the vocabulary's size isn't the model's.
  Summarizer(const EncoderDecoderOptions& options, text::ExtendedVocabulary vocabulary, std::uint64_t seed = 1);

  /// From the folder of a training run: best.safetensors. Throws IoError, FormatError, ValueError.
  static std::unique_ptr<Summarizer> load(const std::filesystem::path& folder);

  /// Makes this an ensemble with `other`'s models; `model()` stays this one's. Throws ValueError for another vocabulary,
  /// where one copies and the other doesn't, for itself, and where one was added before or moved: that has no model any more.
  void add(Summarizer&& other);

  struct Source {
    TokenIds ids;
    text::FurtherWords further;  ///< that may be copied
  };
  /// Of the first max_source words of a text. Throws FormatError for a text that isn't UTF-8.
  Source encode_source(const std::string& text, std::int64_t max_source) const;
  /// Of a summary, in the same way.
  TokenIds encode_summary(const std::string& text, const Source& source) const;

  /// Summaries in the order of `texts`; a text without words has an empty one. Throws FormatError for one that isn't UTF-8,
  /// ValueError, and as beam_search.
  std::vector<Summary> summarize(std::span<const std::string> texts, const SummarizeOptions& options = {});

  /// Throws ValueError where it was moved or added to another, as all that needs the model does.
  EncoderDecoder& model();
  const text::ExtendedVocabulary& vocabulary() const { return vocabulary_; }
  /// What a checkpoint says of itself: the model's settings and the vocabulary.
  Metadata metadata() const;

 private:
  Summary summary_of(const Source& source, const Hypothesis& best) const;

  text::ExtendedVocabulary vocabulary_;
  std::unique_ptr<EncoderDecoder> model_;
  std::vector<std::unique_ptr<EncoderDecoder>> others_;  // of an ensemble
  std::unique_ptr<Ensemble> ensemble_;
};

}  // namespace weft::seq2seq
