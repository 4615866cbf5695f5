#include "weft/seq2seq/summarizer.hpp"

#include <algorithm>

#include "base/fail.hpp"
#include "seq2seq/best_weights.hpp"
#include "seq2seq/ensemble_with.hpp"
#include "seq2seq/in_batches.hpp"
#include "weft/seq2seq/model_options.hpp"
#include "weft/text/lower.hpp"
#include "weft/text/words.hpp"

namespace weft::seq2seq {
namespace {

constexpr const char* where = "Summarizer";

}  // namespace

std::string as_words(const std::string& text) { return text::words(text::lower(text)); }

Summarizer::Summarizer(const EncoderDecoderOptions& options, text::ExtendedVocabulary vocabulary, std::uint64_t seed)
    : vocabulary_(std::move(vocabulary)) {
  check<ValueError>(options.source_vocabulary == vocabulary_.size() && options.target_vocabulary == vocabulary_.size(), where,
                    "a vocabulary of {} words doesn't fit a model of {} and {}", vocabulary_.size(), options.source_vocabulary,
                    options.target_vocabulary);
  model_ = std::make_unique<EncoderDecoder>(options, nn::Scope{.owner = nullptr, .name = {}, .seed = seed});
}

EncoderDecoder& Summarizer::model() { return model_of(where, model_); }

Metadata Summarizer::metadata() const {
  return {{"summarizer", to_json(model_of(where, model_).options())}, {"words", vocabulary_.to_json()}};
}

std::unique_ptr<Summarizer> Summarizer::load(const std::filesystem::path& folder) {
  const SafetensorsFile file = load_best(where, folder);
  const std::string path = (folder / "best.safetensors").string();
  const ModelOptions options = model_options_of(described(where, file, folder, "summarizer", "summarizer"), path);
  check<FormatError>(std::holds_alternative<EncoderDecoderOptions>(options), where,
                     "{}: its metadata describe another model than a summarizer's", path);
  auto vocabulary = text::ExtendedVocabulary::from_json(described(where, file, folder, "words", "summarizer"), path);
  auto summarizer = made_of(where, path, [&] {
    return std::make_unique<Summarizer>(std::get<EncoderDecoderOptions>(options), std::move(vocabulary));
  });
  summarizer->model_->load_state_dict(file.tensors);
  summarizer->model_->eval();
  return summarizer;
}

void Summarizer::add(Summarizer&& other) {
  check<ValueError>(&other != this, where, "a model can't be added to itself: an ensemble needs another one");
  const EncoderDecoder &mine = model_of(where, model_), &its = model_of(where, other.model_, "the other");
  check<ValueError>(vocabulary_.to_json() == other.vocabulary_.to_json(), where,
                    "models of an ensemble have one vocabulary, not one of {} words and another of {}", vocabulary_.size(),
                    other.vocabulary_.size());
  check<ValueError>(mine.options().copy == its.options().copy, where, "of an ensemble's models all copy, or none does");
  ensemble_ = ensemble_with(model_, others_, other.model_, other.others_);
  other.ensemble_.reset();
}

Summarizer::Source Summarizer::encode_source(const std::string& text, std::int64_t max_source) const {
  const bool copies = model_of(where, model_).options().copy;
  auto [ids, further] = vocabulary_.encode_source(as_words(text), max_source);
  if (!copies) {
    for (std::int32_t& id : ids) id = id < vocabulary_.size() ? id : unknown_id;
    further.clear();
  }
  return {std::move(ids), std::move(further)};
}

TokenIds Summarizer::encode_summary(const std::string& text, const Source& source) const {
  return vocabulary_.encode(as_words(text), source.further);
}

Summary Summarizer::summary_of(const Source& source, const Hypothesis& best) const {
  Summary summary{.score = best.score};
  TokenIds known;
  std::copy_if(best.ids.begin(), best.ids.end(), std::back_inserter(known), [](std::int32_t id) { return id != unknown_id; });
  summary.text = vocabulary_.decode(known, source.further);
  const auto words = [&](const TokenIds& ids) {
    std::vector<std::string> result;
    for (const std::int32_t id : ids) result.push_back(vocabulary_.word(id, source.further));
    return result;
  };
  summary.source_words = words(source.ids);
  summary.words = words(best.ids);
  summary.words.emplace_back("(end)");
  if (!best.attention.defined()) return summary;
  if (best.attention.size(0) < static_cast<std::int64_t>(summary.words.size())) summary.words.pop_back();
  summary.attention = best.attention;
  if (!model_->options().copy) return summary;
  const TokenIds *from = &source.ids, *to = &best.ids;
  const auto copying = model_->copying(make_batch(std::span(&from, 1), std::span(&to, 1)));
  const auto steps = static_cast<std::int64_t>(summary.words.size());
  summary.generate = copying.generate.select(0, 0).slice(0, 0, steps).to(f32);
  summary.copied = copying.copied.select(0, 0).slice(0, 0, steps).to(f32);
  return summary;
}

std::vector<Summary> Summarizer::summarize(std::span<const std::string> texts, const SummarizeOptions& options) {
  Model& own = this->model();
  Model& model = ensemble_ ? *ensemble_ : own;
  check<ValueError>(options.batch >= 1 && options.max_source >= 1, where, "batch {} and max_source {} must be at least 1",
                    options.batch, options.max_source);
  std::vector<Source> sources;
  std::vector<TokenIds> ids;
  for (const std::string& text : texts) {
    sources.push_back(encode_source(text, options.max_source));
    ids.push_back(sources.back().ids);
  }
  std::vector<Summary> result(texts.size());
  in_batches(ids, options.batch, [&](std::span<const std::size_t> places, std::span<const TokenIds* const> rows) {
    const auto hypotheses = beam_search(model, pad(rows), options.search);
    for (std::size_t r = 0; r < places.size(); ++r) result[places[r]] = summary_of(sources[places[r]], hypotheses[r].front());
  });
  return result;
}

}  // namespace weft::seq2seq
