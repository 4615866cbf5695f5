#include "weft/seq2seq/translator.hpp"

#include <algorithm>
#include <boost/crc.hpp>
#include <set>
#include <tuple>

#include "base/fail.hpp"
#include "seq2seq/best_weights.hpp"
#include "seq2seq/ensemble_with.hpp"
#include "seq2seq/in_batches.hpp"
#include "weft/base/file.hpp"
#include "weft/nn/module.hpp"

namespace weft::seq2seq {
namespace {

constexpr const char* where = "Translator";

std::string checksum(const text::SentencePiece& vocabulary) {
  boost::crc_32_type crc;
  crc.process_bytes(vocabulary.model_bytes().data(), vocabulary.model_bytes().size());
  return fmt::format("{} pieces, crc32 {:08x}", vocabulary.size(), crc.checksum());
}

void check_fit(const ModelOptions& model, const Vocabularies& vocabularies) {
  const auto [source, target, shared] =
      std::visit([](const auto& o) { return std::tuple(o.source_vocabulary, o.target_vocabulary, o.share_embeddings); }, model);
  check<ValueError>(source == vocabularies.source.size() && target == vocabularies.target.size(), where,
                    "vocabularies of {} and {} pieces don't fit a model of {} and {}", vocabularies.source.size(),
                    vocabularies.target.size(), source, target);
  constexpr text::Vocabulary special;
  static_assert(special.pad == pad_id && special.unk == unknown_id && special.bos == begin_id && special.eos == end_id);
  vocabularies.source.vocabulary().require_special_pieces("the source vocabulary");
  vocabularies.target.vocabulary().require_special_pieces("the target vocabulary");
  check<ValueError>(!shared || checksum(vocabularies.source) == checksum(vocabularies.target), where,
                    "share_embeddings needs one vocabulary for both languages, not two");
}

// A piece as a reader knows it: the mark of a new word left out.
std::string word_of(const text::SentencePiece& vocabulary, std::int32_t id) {
  std::string piece = vocabulary.piece(id);
  constexpr std::string_view mark = "\u2581";
  if (piece.starts_with(mark)) piece.erase(0, mark.size());
  return piece.empty() ? "␣" : piece;
}

std::vector<std::string> words_of(const text::SentencePiece& vocabulary, const TokenIds& ids) {
  std::vector<std::string> words;
  for (const std::int32_t id : ids) words.push_back(word_of(vocabulary, id));
  return words;
}

}  // namespace

Translator::Translator(const ModelOptions& options, Vocabularies vocabularies, std::uint64_t seed)
    : vocabularies_(std::move(vocabularies)), options_(options) {
  check_fit(options_, vocabularies_);
  model_ = make_model(options_, nn::Scope{.owner = nullptr, .name = {}, .seed = seed});
}

Model& Translator::model() { return model_of(where, model_); }

Metadata Translator::metadata() const {
  check_model(where, model_);
  return {{"translator", to_json(options_)},
          {"source_vocabulary", checksum(vocabularies_.source)},
          {"target_vocabulary", checksum(vocabularies_.target)}};
}

std::unique_ptr<Translator> Translator::load(const std::filesystem::path& folder) {
  const SafetensorsFile file = load_best(where, folder);
  const auto path = folder / "best.safetensors";
  const ModelOptions options = model_options_of(described(where, file, folder, "translator", "translator"), path.string());
  Vocabularies vocabularies = load_vocabularies(folder);
  for (const auto& [key, vocabulary] :
       {std::pair("source_vocabulary", &vocabularies.source), {"target_vocabulary", &vocabularies.target}}) {
    const auto expected = file.metadata.find(key);
    check<ValueError>(expected != file.metadata.end() && expected->second == checksum(*vocabulary), where,
                      "{} doesn't fit the {} in {}: the weights were trained with {}, this one is {}", path.string(), key,
                      folder.string(), expected == file.metadata.end() ? "none" : expected->second, checksum(*vocabulary));
  }
  auto translator =
      made_of(where, path.string(), [&] { return std::make_unique<Translator>(options, std::move(vocabularies)); });
  translator->model_->load_state_dict(file.tensors);
  translator->model_->eval();
  return translator;
}

void Translator::add(Translator&& other) {
  check<ValueError>(&other != this, where, "a model can't be added to itself: an ensemble needs another one");
  check_model(where, model_);
  check_model(where, other.model_, "the other");
  for (const auto& [name, here, there] : {std::tuple("source", &vocabularies_.source, &other.vocabularies_.source),
                                          {"target", &vocabularies_.target, &other.vocabularies_.target}})
    check<ValueError>(checksum(*here) == checksum(*there), where,
                      "models of an ensemble have one {} vocabulary, not one of {} and one of {}", name, checksum(*here),
                      checksum(*there));
  ensemble_ = ensemble_with(model_, others_, other.model_, other.others_);
  other.ensemble_.reset();
}

std::vector<TokenIds> Translator::prefixes_of(std::span<const std::string> lines, const TranslateOptions& options) const {
  const auto& texts = options.prefixes;
  check<ValueError>(texts.size() <= 1 || texts.size() == lines.size(), where,
                    "{} prefixes for {} lines; one for all or one for each is needed", texts.size(), lines.size());
  std::vector<TokenIds> encoded;
  for (const std::string& text : texts) {
    encoded.push_back(vocabularies_.target.encode(text));
    check<ValueError>(std::find(encoded.back().begin(), encoded.back().end(), unknown_id) == encoded.back().end(), where,
                      "the prefix '{}' has characters that aren't in the target vocabulary", text);
  }
  if (encoded.size() == 1) encoded.resize(lines.size(), encoded[0]);
  return encoded;
}

Hypothesis Translator::chosen(std::vector<Hypothesis> hypotheses, const TranslateOptions& options) const {
  if (!options.minimum_bayes_risk) return std::move(hypotheses.front());
  if (!options.sample) {  // several groups of a beam may have found the same one
    std::set<TokenIds> seen;
    std::erase_if(hypotheses, [&](const Hypothesis& each) { return !seen.insert(each.ids).second; });
  }
  std::vector<std::string> texts;
  std::vector<double> log_probabilities;
  for (const Hypothesis& each : hypotheses) {
    texts.push_back(vocabularies_.target.decode(each.ids));
    log_probabilities.push_back(each.log_probability);
  }
  const auto weights = options.sample ? std::vector<double>() : posterior(log_probabilities);
  return std::move(hypotheses[minimum_bayes_risk(texts, weights, *options.minimum_bayes_risk).best]);
}

std::vector<Translation> Translator::translate(std::span<const std::string> lines, const TranslateOptions& options) {
  Model& own = this->model();
  Model& model = ensemble_ ? *ensemble_ : own;
  check<ValueError>(options.batch >= 1 && options.max_source >= 1, where, "batch {} and max_source {} must be at least 1",
                    options.batch, options.max_source);
  std::vector<TokenIds> source(lines.size());
  std::vector<Translation> result(lines.size());
  for (std::size_t i = 0; i < lines.size(); ++i) {
    source[i] = vocabularies_.source.encode(lines[i]);
    const auto pieces = static_cast<std::int64_t>(source[i].size()), kept = std::min(pieces, options.max_source);
    result[i].source_cut = pieces - kept;
    source[i].resize(static_cast<std::size_t>(kept));
  }
  const std::vector<TokenIds> prefixes = prefixes_of(lines, options);
  std::optional<SampleOptions> sampling = options.sample;
  if (sampling) sampling->attention = sampling->attention || options.search.attention;
  in_batches(source, options.batch, [&](std::span<const std::size_t> places, std::span<const TokenIds* const> rows) {
    std::vector<TokenIds> begins;
    for (const std::size_t i : places)
      if (!prefixes.empty()) begins.push_back(prefixes[i]);
    auto hypotheses =
        sampling ? sample(model, pad(rows), *sampling, begins) : beam_search(model, pad(rows), options.search, begins);
    for (std::size_t r = 0; r < places.size(); ++r) {
      const Hypothesis best = chosen(std::move(hypotheses[r]), options);
      Translation& translation = result[places[r]];
      translation.text = vocabularies_.target.decode(best.ids);
      translation.score = best.score;
      translation.source_words = words_of(vocabularies_.source, *rows[r]);
      translation.target_words = words_of(vocabularies_.target, best.ids);
      translation.source_ids = *rows[r];
      translation.target_ids = best.ids;
      translation.attention = best.attention;
      if (best.attention.defined() && best.attention.size(0) > static_cast<std::int64_t>(best.ids.size()))
        translation.target_words.emplace_back("(end)");
    }
  });
  return result;
}

void save_vocabularies(const Vocabularies& vocabularies, const std::filesystem::path& folder) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error) fail<IoError>(where, "can't make the folder {}: {}", folder.string(), error.message());
  write_atomically(folder / "source.model", vocabularies.source.model_bytes());
  write_atomically(folder / "target.model", vocabularies.target.model_bytes());
}

Vocabularies load_vocabularies(const std::filesystem::path& folder) {
  return {text::SentencePiece::load(folder / "source.model"), text::SentencePiece::load(folder / "target.model")};
}

}  // namespace weft::seq2seq
