#include "weft/train/classification_task.hpp"

#include <algorithm>
#include <numeric>

#include "base/fail.hpp"
#include "data/shuffle.hpp"
#include "weft/metrics/classification.hpp"
#include "weft/ops/loss.hpp"
#include "weft/ops/reduce.hpp"

namespace weft {
namespace {

constexpr const char* where = "ClassificationTask";

Tensor labels_tensor(std::span<const std::int64_t> labels) {
  return Tensor::from<std::int64_t>(labels, {static_cast<std::int64_t>(labels.size())});
}

}  // namespace

ClassificationTask::ClassificationTask(seq2seq::TextClassifier& classifier, std::span<const data::Document> train,
                                       std::span<const data::Document> validation, const ClassificationTaskOptions& options,
                                       Metadata about)
    : classifier_(classifier),
      options_(options),
      train_(encoded(train, "train")),
      validation_(encoded(validation, "validate")),
      settings_({{"training_documents", data::checksum(train)},
                 {"validation_documents", data::checksum(validation)},
                 {"documents", fmt::to_string(options.documents)},
                 {"sentence_dropout", fmt::to_string(options.sentence_dropout)},
                 {"label_smoothing", fmt::to_string(options.label_smoothing)},
                 {"best_by", options.best_by == ClassificationScore::loss ? "loss" : "accuracy"},
                 {"order", fmt::to_string(options.seed)}}),
      about_(std::move(about)) {
  check<ValueError>(
      options.documents >= 1 && options.sentence_dropout >= 0 && options.sentence_dropout < 1, where,
      "batches of {} documents, of whose sentences {} go: the first must be positive, the second a share in [0, 1)",
      options.documents, options.sentence_dropout);
}

ClassificationTask::Documents ClassificationTask::encoded(std::span<const data::Document> documents, const char* what) const {
  check<ValueError>(!documents.empty(), where, "there are no documents to {} on", what);
  const auto classes = static_cast<std::int64_t>(classifier_.vocabulary().classes.size());
  Documents result;
  for (const data::Document& document : documents) {
    check<ValueError>(document.label >= 0 && document.label < classes, where, "{} is of class {}; the classifier has {}",
                      document.name, document.label, classes);
    result.texts.push_back(classifier_.encode(classifier_.words(document.sentences)));
    check<ValueError>(!result.texts.back().empty(), where, "{} has no words", document.name);
    result.labels.push_back(document.label);
  }
  return result;
}

std::int64_t ClassificationTask::begin_epoch(std::int64_t epoch) {
  epoch_ = epoch;
  order_.resize(train_.texts.size());
  std::iota(order_.begin(), order_.end(), std::size_t{0});
  Generator generator(options_.seed ^ hash_of("documents"), static_cast<std::uint64_t>(epoch) << 40);
  data::shuffle(order_, generator);
  return (static_cast<std::int64_t>(order_.size()) + options_.documents - 1) / options_.documents;
}

// A function of the epoch and the document alone, so that a run goes on within an epoch.
seq2seq::Sentences ClassificationTask::kept(std::size_t document) const {
  const seq2seq::Sentences& all = train_.texts[document];
  if (options_.sentence_dropout == 0) return all;
  Generator generator(options_.seed ^ hash_of("sentences"),
                      (static_cast<std::uint64_t>(epoch_) << 40) + (static_cast<std::uint64_t>(document) << 12));
  seq2seq::Sentences some;
  for (const auto& sentence : all)
    if (generator.uniform() >= options_.sentence_dropout) some.push_back(sentence);
  if (some.empty()) some.push_back(all[generator.below(all.size())]);
  return some;
}

Var ClassificationTask::logits_of(std::span<const seq2seq::Sentences> texts) {
  std::vector<const seq2seq::Sentences*> documents;
  for (const seq2seq::Sentences& text : texts) documents.push_back(&text);
  return classifier_.model()(seq2seq::make_batch(documents)).output;
}

StepLoss ClassificationTask::step(std::int64_t index) {
  const auto size = static_cast<std::size_t>(options_.documents), first = static_cast<std::size_t>(index) * size;
  check<ValueError>(index >= 0 && first < order_.size(), where, "there is no batch {} in the epoch", index);
  std::vector<seq2seq::Sentences> texts;
  std::vector<std::int64_t> labels;
  std::int64_t words = 0;
  for (std::size_t i = first; i < std::min(first + size, order_.size()); ++i) {
    texts.push_back(kept(order_[i]));
    labels.push_back(train_.labels[order_[i]]);
    for (const auto& sentence : texts.back()) words += static_cast<std::int64_t>(sentence.size());
  }
  const Var loss = cross_entropy(logits_of(texts), labels_tensor(labels), {.label_smoothing = options_.label_smoothing});
  return {loss, static_cast<std::int64_t>(labels.size()), words};
}

ValidationResult ClassificationTask::validate() {
  const std::size_t all = validation_.texts.size(), at_a_time = static_cast<std::size_t>(options_.documents);
  metrics::ConfusionMatrix matrix(static_cast<std::int64_t>(classifier_.vocabulary().classes.size()));
  double loss = 0;
  for (std::size_t first = 0; first < all; first += at_a_time) {
    const std::size_t count = std::min(at_a_time, all - first);
    const std::span labels(validation_.labels.data() + first, count);
    const Var logits = logits_of(std::span(validation_.texts).subspan(first, count));
    loss += cross_entropy(logits, labels_tensor(labels), {.reduction = LossReduction::sum}).item();
    const Tensor predicted = argmax(logits, -1);
    matrix.add(labels, std::span(predicted.data<std::int64_t>(), count));
  }
  ValidationResult result{.loss = loss / static_cast<double>(all), .score = std::nullopt};
  if (options_.best_by == ClassificationScore::accuracy) result.score = 100 * matrix.accuracy();
  return result;
}

Metadata ClassificationTask::metadata() const {
  Metadata metadata = classifier_.metadata();
  metadata.insert(about_.begin(), about_.end());
  return metadata;
}

}  // namespace weft
