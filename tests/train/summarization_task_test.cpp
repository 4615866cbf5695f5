#include "weft/train/summarization_task.hpp"

#include <doctest/doctest.h>

#include <cmath>

#include "weft/autograd/tape.hpp"
#include "weft/base/error.hpp"
#include "weft/metrics/rouge.hpp"

using namespace weft;

namespace {

const data::ParallelText pairs{{"Nyx Corp said it bought Xen.", "The bank said output of oil rose 15 pct."},
                               {"NYX <NYX> BUYS XEN", "OIL OUTPUT UP"}};

seq2seq::Summarizer summarizer(bool copy = true) {
  const auto vocabulary = text::ExtendedVocabulary::of(std::vector<std::string>{"the bank said it bought oil output up ."});
  return seq2seq::Summarizer({.source_vocabulary = vocabulary.size(),
                              .target_vocabulary = vocabulary.size(),
                              .embedding = 6,
                              .hidden = 8,
                              .attention = seq2seq::AttentionKind::additive,
                              .copy = copy},
                             vocabulary);
}

SummarizationTaskOptions options() {
  return {.batching = {.max_tokens = 200}, .validation = {.search = {.beam = 1, .max_length = 6}}};
}

}  // namespace

TEST_CASE("an epoch has the stories, their words and those that only the story has") {
  seq2seq::Summarizer made = summarizer();
  SummarizationTask task(made, pairs, pairs, options());
  std::int64_t tokens = 0, words = 0;
  for (std::int64_t i = 0, batches = task.begin_epoch(0); i < batches; ++i) {
    Tape tape;
    const StepLoss loss = task.step(i);
    CHECK(std::isfinite(loss.loss.item()));  // "<", ">" and "buys" are unknown, nyx and xen are copied
    tokens += loss.tokens;
    words += loss.words;
  }
  CHECK(tokens == 7 + 4);
  CHECK(words == 4 + 3);
}

TEST_CASE("validation gives the loss of a word and the mean of three kinds of ROUGE") {
  for (const bool copy : {true, false}) {
    seq2seq::Summarizer made = summarizer(copy);
    made.model().eval();
    SummarizationTask task(made, pairs, pairs, options());
    const NoGrad nothing_recorded;
    const ValidationResult result = task.validate();
    CHECK(result.loss > 1);
    CHECK(result.loss < 4);
    std::vector<std::string> summaries, references;
    for (const std::string& headline : pairs.target) references.push_back(seq2seq::as_words(headline));
    for (const auto& summary : made.summarize(pairs.source, ::options().validation)) summaries.push_back(summary.text);
    const metrics::RougeOptions options{.tokenize = metrics::Tokenization::none};
    const double sum = metrics::rouge_n(summaries, {references}, 1, options).f1 +
                       metrics::rouge_n(summaries, {references}, 2, options).f1 +
                       metrics::rouge_l(summaries, {references}, options).f1;
    REQUIRE(result.score);
    CHECK(*result.score == doctest::Approx(sum / 3));
  }
}

TEST_CASE("a run of another validation or batching is another run") {
  seq2seq::Summarizer made = summarizer();
  const Metadata settings = SummarizationTask(made, pairs, pairs, options()).settings();
  CHECK(settings.at("validation.search") == "beam 1, length penalty 1, max length 6, max source 100, batch 64");
  auto changed = options();
  changed.validation.search.no_repeat_ngram = 2;
  changed.batching.max_tokens = 300;
  const Metadata other = SummarizationTask(made, pairs, pairs, changed).settings();
  CHECK(other.at("validation.search") == "beam 1, length penalty 1, max length 6, max source 100, batch 64, no 2-gram twice");
  CHECK(other.at("batching.max_tokens") == "300");
  CHECK(other.at("training_text") == settings.at("training_text"));
  CHECK(SummarizationTask(made, pairs, pairs, options()).metadata() == made.metadata());
  Metadata about = made.metadata();
  about["held_out"] = "2";
  CHECK(SummarizationTask(made, pairs, pairs, options(), {{"held_out", "2"}}).metadata() == about);
}

TEST_CASE("what can't be learned from is refused") {
  seq2seq::Summarizer made = summarizer();
  data::ParallelText uneven = pairs;
  uneven.target.pop_back();
  CHECK_THROWS_WITH_AS(SummarizationTask(made, uneven, pairs, options()), "[SummarizationTask] 2 texts, but 1 summaries",
                       ValueError);
  CHECK_THROWS_WITH_AS(SummarizationTask(made, pairs, {}, options()), "[SummarizationTask] there is nothing to validate on",
                       ValueError);
  auto longer = options();
  longer.validation.max_source = 101;
  CHECK_THROWS_WITH_AS(SummarizationTask(made, pairs, pairs, longer),
                       "[SummarizationTask] max_source 101 is more than the 100 words that a batch takes of a text",
                       ValueError);
}
