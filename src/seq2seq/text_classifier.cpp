#include "weft/seq2seq/text_classifier.hpp"

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>

#include "base/fail.hpp"
#include "seq2seq/best_weights.hpp"
#include "weft/autograd/tape.hpp"
#include "weft/metrics/tokenize.hpp"
#include "weft/ops/softmax.hpp"
#include "weft/text/lower.hpp"

namespace weft::seq2seq {
namespace {

constexpr const char* where = "TextClassifier";

std::vector<std::string> words_of(const std::string& line) {
  return metrics::tokenize(text::lower(line), metrics::Tokenization::v13a);
}

std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += word + ' ';
  return text;
}

DocumentClassifierOptions fitted(DocumentClassifierOptions options, const TextClassifier::Vocabulary& vocabulary) {
  check<ValueError>(vocabulary.max_words >= 1, where, "max_words is {}; it must be positive", vocabulary.max_words);
  options.vocabulary = vocabulary.symbols.size();
  options.classes = static_cast<std::int64_t>(vocabulary.classes.size());
  return options;
}

std::vector<std::string> classes_of(const std::string& json, const std::string& source) {
  try {
    return nlohmann::json::parse(json).get<std::vector<std::string>>();
  } catch (const nlohmann::json::exception& error) {
    fail<FormatError>(where, "{}: its metadata hold no names of classes ({})", source, error.what());
  }
}

std::int64_t count_of(const std::string& text, const std::string& source) {
  std::int64_t count = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
  check<FormatError>(error == std::errc() && end == text.data() + text.size() && count > 0, where,
                     "{}: its metadata have max_words '{}', which is no positive number", source, text);
  return count;
}

/// The first `count` of row `row` of [rows, any].
std::vector<double> row_of(const Tensor& x, std::int64_t row, std::int64_t count) {
  const Tensor part = x.select(0, row).slice(0, 0, count).to(f64).contiguous();
  return {part.data<double>(), part.data<double>() + count};
}

}  // namespace

SentenceWords sentence_words(std::span<const std::string> lines, std::int64_t max_words) {
  check<ValueError>(max_words >= 1, where, "max_words is {}; it must be positive", max_words);
  SentenceWords sentences;
  for (const std::string& line : lines) {
    std::vector<std::string> words = words_of(line);
    for (auto word = words.begin(); word != words.end();) {
      const auto end = word + std::min<std::ptrdiff_t>(max_words, words.end() - word);
      sentences.emplace_back(std::make_move_iterator(word), std::make_move_iterator(end));
      word = end;
    }
  }
  return sentences;
}

text::Symbols document_symbols(std::span<const data::Document> documents, std::int64_t least) {
  std::string text;
  for (const data::Document& document : documents)
    for (const std::string& line : document.sentences) text += joined(words_of(line));
  return text::Symbols::of(text, text::SymbolUnit::words, 0, least);
}

TextClassifier::TextClassifier(DocumentClassifierOptions options, Vocabulary vocabulary, std::uint64_t seed)
    : vocabulary_(std::move(vocabulary)),
      model_(fitted(std::move(options), vocabulary_), nn::Scope{.owner = nullptr, .name = {}, .seed = seed}) {}

std::unique_ptr<TextClassifier> TextClassifier::load(const std::filesystem::path& folder) {
  SafetensorsFile file = load_best(where, folder);
  const std::string path = (folder / "best.safetensors").string();
  const auto field = [&](const char* key) -> const std::string& {
    return described(where, file, folder, key, "classifier of texts");
  };
  const auto options = document_classifier_options_of(field("document_classifier"), path);
  auto classifier = made_of(where, path, [&] {
    return std::make_unique<TextClassifier>(
        options, Vocabulary{text::Symbols::from_json(field("symbols"), path), classes_of(field("classes"), path),
                            count_of(field("max_words"), path)});
  });
  classifier->model_.load_state_dict(file.tensors);
  classifier->model_.eval();
  classifier->loaded_ = std::move(file.metadata);
  return classifier;
}

Sentences TextClassifier::encode(const SentenceWords& words) const {
  Sentences sentences;
  for (const auto& sentence : words) sentences.push_back(vocabulary_.symbols.encode(joined(sentence)));
  return sentences;
}

std::vector<Classification> TextClassifier::classify(std::span<const Sentences> texts, std::int64_t batch) {
  check<ValueError>(batch >= 1, where, "batch is {}; it must be positive", batch);
  for (std::size_t i = 0; i < texts.size(); ++i) check<ValueError>(!texts[i].empty(), where, "text {} has no words", i);
  const NoGrad nothing_recorded;
  std::vector<Classification> result;
  for (std::size_t first = 0; first < texts.size(); first += static_cast<std::size_t>(batch)) {
    std::vector<const Sentences*> documents;
    for (const Sentences& text : texts.subspan(first, std::min(static_cast<std::size_t>(batch), texts.size() - first)))
      documents.push_back(&text);
    const DocumentOutput out = model_(make_batch(documents));
    const Tensor probabilities = softmax(out.output, -1).value();
    std::int64_t row = 0;
    for (std::int64_t i = 0; i < static_cast<std::int64_t>(documents.size()); ++i) {
      const Sentences& text = *documents[static_cast<std::size_t>(i)];
      Classification each;
      each.probabilities = row_of(probabilities, i, probabilities.size(1));
      each.label = std::max_element(each.probabilities.begin(), each.probabilities.end()) - each.probabilities.begin();
      each.sentence_weights = row_of(out.sentence_weights.value(), i, static_cast<std::int64_t>(text.size()));
      for (const TokenIds& sentence : text)
        each.word_weights.push_back(row_of(out.word_weights.value(), row++, static_cast<std::int64_t>(sentence.size())));
      result.push_back(std::move(each));
    }
  }
  return result;
}

Metadata TextClassifier::metadata() const {
  return {{"document_classifier", to_json(model_.options())},
          {"symbols", vocabulary_.symbols.to_json()},
          {"classes", nlohmann::json(vocabulary_.classes).dump()},
          {"max_words", fmt::to_string(vocabulary_.max_words)}};
}

}  // namespace weft::seq2seq
