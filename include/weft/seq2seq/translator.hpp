#pragma once
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "weft/seq2seq/beam_search.hpp"
#include "weft/seq2seq/ensemble.hpp"
#include "weft/seq2seq/minimum_bayes_risk.hpp"
#include "weft/seq2seq/model_options.hpp"
#include "weft/seq2seq/sampling.hpp"
#include "weft/text/tokenizer.hpp"

namespace weft::seq2seq {

/// The two vocabularies; with share_embeddings they are one.
struct Vocabularies {
  text::SentencePiece source, target;
};

/// A translation and what it was made of.
struct Translation {
  std::string text;
  double score = 0;                       ///< its hypothesis'
  std::vector<std::string> source_words;  ///< pieces that the attention's columns stand for
  std::vector<std::string> target_words;  ///< and its rows; the last is the end of the sentence
  TokenIds source_ids, target_ids;        ///< the pieces' ids, without begin_id and end_id
  Tensor attention;                       ///< f32 [target, source], where asked for
  std::int64_t source_cut = 0;            ///< pieces of the source behind max_source, which nothing looked at
};

struct TranslateOptions {
  BeamSearchOptions search = {};
  /// Draws instead of searching; the first sample is the translation, or the one that minimum_bayes_risk chooses. Attention
  /// weights are returned where either of both asks for them.
  std::optional<SampleOptions> sample = {};
  /// Chooses among the samples, or among the beam's hypotheses by their probabilities; otherwise the first is taken.
  std::optional<MinimumBayesRiskOptions> minimum_bayes_risk = {};
  /// What translations begin with: one for each line, one for all, or none. Whole words as the vocabulary cuts them.
  std::vector<std::string> prefixes = {};
  std::int64_t batch = 64;        ///< sentences at a time
  std::int64_t max_source = 200;  ///< pieces; longer sentences are cut, which Translation::source_cut tells
};

/// A model with its vocabularies.
class Translator {
 public:
  /// Throws ValueError where a vocabulary's size isn't the model's, FormatError where its special pieces aren't pad_id,
  /// unknown_id, begin_id and end_id.
  Translator(const ModelOptions& options, Vocabularies vocabularies, std::uint64_t seed = 1);

  /// From the folder of a training run: best.safetensors, source.model, target.model.
  /// Throws IoError, FormatError, ValueError for vocabularies that aren't those of the weights.
  static std::unique_ptr<Translator> load(const std::filesystem::path& folder);

  /// Makes this an ensemble, which translates by the mean of all models' probabilities: `other`'s join it. `model()` stays this
  /// one's. Throws ValueError for vocabularies that aren't this one's, where one model copies words of the source and
  /// another doesn't, for itself, and where one was added before or moved: that has no model any more. Both stay as they were
  /// then.
  void add(Translator&& other);

  /// Translations in the order of `lines`; a blank line gives an empty one. Throws FormatError for a line that isn't UTF-8,
  /// ValueError for prefixes of another number than lines, or with characters that the vocabulary hasn't, and as beam_search
  /// and sample.
  std::vector<Translation> translate(std::span<const std::string> lines, const TranslateOptions& options = {});

  /// Throws ValueError where it was moved or added to another, as all that needs the model does.
  Model& model();
  const Vocabularies& vocabularies() const { return vocabularies_; }
  /// What a checkpoint says of itself: the model's settings and the vocabularies' checksums.
  Metadata metadata() const;

 private:
  /// For each line: what its translation begins with.
  std::vector<TokenIds> prefixes_of(std::span<const std::string> lines, const TranslateOptions& options) const;
  Hypothesis chosen(std::vector<Hypothesis> hypotheses, const TranslateOptions& options) const;

  Vocabularies vocabularies_;
  ModelOptions options_;
  std::unique_ptr<Model> model_;
  std::vector<std::unique_ptr<Model>> others_;  // of an ensemble
  std::unique_ptr<Ensemble> ensemble_;
};

/// source.model and target.model in `folder`.
void save_vocabularies(const Vocabularies& vocabularies, const std::filesystem::path& folder);
Vocabularies load_vocabularies(const std::filesystem::path& folder);

}  // namespace weft::seq2seq
