#pragma once
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "weft/seq2seq/beam_search.hpp"
#include "weft/seq2seq/model_options.hpp"
#include "weft/text/tokenizer.hpp"

namespace weft::seq2seq {

/// The two vocabularies; with share_embeddings they are one.
struct Vocabularies {
  text::SentencePiece source, target;
};

/// A translation and what it was made of.
struct Translation {
  std::string text;
  double score = 0;                       ///< log probability / length^length_penalty
  std::vector<std::string> source_words;  ///< pieces that the attention's columns stand for
  std::vector<std::string> target_words;  ///< and its rows; the last is the end of the sentence
  TokenIds source_ids, target_ids;        ///< the pieces' ids, without begin_id and end_id
  Tensor attention;                       ///< f32 [target, source], where asked for
};

struct TranslateOptions {
  BeamSearchOptions search = {};
  std::int64_t batch = 64;        ///< sentences at a time
  std::int64_t max_source = 200;  ///< longer sentences are cut
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

  /// Translations in the order of `lines`; a blank line gives an empty one. Throws FormatError for a line that isn't UTF-8.
  std::vector<Translation> translate(std::span<const std::string> lines, const TranslateOptions& options = {});

  Model& model() { return *model_; }
  const Vocabularies& vocabularies() const { return vocabularies_; }
  /// What a checkpoint says of itself: the model's settings and the vocabularies' checksums.
  Metadata metadata() const;

 private:
  Vocabularies vocabularies_;
  ModelOptions options_;
  std::unique_ptr<Model> model_;
};

/// source.model and target.model in `folder`.
void save_vocabularies(const Vocabularies& vocabularies, const std::filesystem::path& folder);
Vocabularies load_vocabularies(const std::filesystem::path& folder);

}  // namespace weft::seq2seq
