#include "weft/train/classification_task.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <cmath>
#include <cstring>
#include <set>
#include <sstream>

#include "support/support.hpp"
#include "weft/autograd/tape.hpp"
#include "weft/base/error.hpp"

using namespace weft;

namespace {

// What is fine is of class 1.
std::vector<data::Document> reviews(std::size_t count) {
  std::vector<data::Document> documents;
  for (std::size_t i = 0; i < count; ++i) {
    const bool good = i % 2 == 1;
    documents.push_back({fmt::format("{}", i), good ? 1 : 0, static_cast<std::int64_t>(i / 2), {}});
    for (std::size_t s = 0; s <= i % 3; ++s)
      documents.back().sentences.push_back(s == i % 2 ? (good ? "a fine film ." : "a dull film .") : "we saw it .");
    if (documents.back().sentences.size() == 1) documents.back().sentences = {good ? "fine ." : "dull ."};
  }
  return documents;
}

struct Run {
  explicit Run(const ClassificationTaskOptions& options = {.documents = 4}, const Metadata& about = {})
      : train(reviews(22)),
        validation(reviews(6)),
        classifier(model_options(), {seq2seq::document_symbols(train, 1), {"neg", "pos"}, 20}),
        task(classifier, train, validation, options, about) {}

  static seq2seq::DocumentClassifierOptions model_options() {
    seq2seq::DocumentClassifierOptions options;
    options.embedding = 6;
    options.words.hidden = options.sentences.hidden = 4;
    options.dropout = options.word_dropout = 0.1;
    return options;
  }

  std::vector<data::Document> train, validation;
  seq2seq::TextClassifier classifier;
  ClassificationTask task;
};

ClassificationTaskOptions with_dropout() { return {.documents = 4, .sentence_dropout = 0.4, .label_smoothing = 0.1}; }

TrainerOptions options_in(const std::filesystem::path& folder) {
  return {.folder = folder, .epochs = 2, .save_every = 1, .log_every = 100, .lr = 0.02};
}

void check_same(const std::filesystem::path& a, const std::filesystem::path& b) {
  const auto left = load_safetensors(a).tensors, right = load_safetensors(b).tensors;
  REQUIRE(left.size() == right.size());
  for (std::size_t i = 0; i < left.size(); ++i) {
    CHECK(left[i].name == right[i].name);
    if (left[i].name == "state.seconds" || left[i].name == "state.log_bytes") continue;  // by the clock
    CHECK_MESSAGE(std::memcmp(left[i].tensor.raw(), right[i].tensor.raw(),
                              static_cast<std::size_t>(left[i].tensor.numel()) * size_of(left[i].tensor.dtype())) == 0,
                  left[i].name);
  }
}

}  // namespace

TEST_CASE("an epoch has each document once, in an order of its own") {
  Run run;
  CHECK_THROWS_AS(run.task.step(0), ValueError);
  std::int64_t words = 0;
  std::set<double> first;
  for (const std::int64_t epoch : {0, 1, 2}) {
    CHECK(run.task.begin_epoch(epoch) == 6);
    std::int64_t documents = 0, all = 0;
    for (std::int64_t i = 0; i < 6; ++i) {
      const StepLoss loss = run.task.step(i);
      if (i == 0) first.insert(loss.loss.item());
      documents += loss.tokens;
      all += loss.words;
    }
    CHECK(documents == 22);
    CHECK((words == 0 || all == words));
    words = all;
    CHECK_THROWS_AS(run.task.step(6), ValueError);
  }
  CHECK(first.size() == 3);
}

TEST_CASE("an epoch leaves out some sentences, others each time, and never all") {
  Run whole, some(with_dropout());
  std::set<std::int64_t> counts;
  for (std::int64_t epoch = 0; epoch < 5; ++epoch) {
    std::int64_t all = 0, kept = 0;
    for (auto* run : {&whole, &some}) run->task.begin_epoch(epoch);
    for (std::int64_t i = 0; i < 6; ++i) {
      all += whole.task.step(i).words;
      kept += some.task.step(i).words;
    }
    CHECK(kept < all);
    counts.insert(kept);
  }
  CHECK(counts.size() > 1);
  Run nearly({.documents = 4, .sentence_dropout = 0.99});
  nearly.task.begin_epoch(0);
  for (std::int64_t i = 0; i < 6; ++i) CHECK(std::isfinite(nearly.task.step(i).loss.item()));
}

TEST_CASE("a classifier's run that was stopped within an epoch goes on with the same bits") {
  const test::TemporaryFolder folder;
  std::ostringstream progress;
  Run straight(with_dropout());
  const TrainingResult whole = train(straight.task, options_in(folder.path() / "straight"), progress);
  CHECK(whole.updates == 12);
  for (const std::int64_t stop : {1, 6, 9}) {
    const auto where = folder.path() / fmt::to_string(stop);
    auto options = options_in(where);
    options.updates = stop;
    Run first(with_dropout());
    train(first.task, options, progress);
    options.updates = 0;
    Run second(with_dropout());
    CHECK(train(second.task, options, progress).updates == 12);
    check_same(where / "last.safetensors", folder.path() / "straight" / "last.safetensors");
  }
}

TEST_CASE("a classifier learns, and the best weights say what they are") {
  const test::TemporaryFolder folder;
  std::ostringstream progress;
  ClassificationTaskOptions task_options;
  task_options.documents = 4;
  task_options.best_by = ClassificationScore::accuracy;
  Run run(task_options, {{"fold", "2"}});
  auto options = options_in(folder.path() / "run");
  options.epochs = 20;
  const TrainingResult result = train(run.task, options, progress);
  REQUIRE(result.best.has_value());
  CHECK(*result.best == 100);
  const auto back = seq2seq::TextClassifier::load(folder.path() / "run");
  CHECK(back->loaded().at("fold") == "2");
  const std::vector<std::string> review = {"a fine film ."};
  const std::vector<seq2seq::Sentences> texts = {back->encode(back->words(review))};
  CHECK(back->classify(texts)[0].label == 1);
}

TEST_CASE("the loss of validation is the mean over the documents, whatever the batches") {
  Run four, five({.documents = 5});
  const NoGrad nothing_recorded;
  for (auto* run : {&four, &five}) run->classifier.model().eval();
  const ValidationResult result = four.task.validate();
  CHECK_FALSE(result.score.has_value());
  CHECK(result.loss == doctest::Approx(five.task.validate().loss).epsilon(1e-5));
}

TEST_CASE("documents and options that can't be are refused") {
  Run run;
  const auto refused = [&](const std::vector<data::Document>& train, const std::vector<data::Document>& validation,
                           const ClassificationTaskOptions& options, const char* part) {
    CHECK_THROWS_WITH_AS(ClassificationTask(run.classifier, train, validation, options), doctest::Contains(part), ValueError);
  };
  refused({}, run.validation, {}, "there are no documents to train on");
  refused(run.train, {}, {}, "there are no documents to validate on");
  refused({{"x", 2, 0, {"a"}}}, run.validation, {}, "x is of class 2; the classifier has 2");
  refused({{"x", 1, 0, {" "}}}, run.validation, {}, "x has no words");
  refused(run.train, run.validation, {.documents = 0}, "batches of 0 documents");
  refused(run.train, run.validation, {.sentence_dropout = 1}, "of whose sentences 1 go");
}
