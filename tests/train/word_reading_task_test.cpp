#include "weft/train/word_reading_task.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <algorithm>
#include <sstream>

#include "support/random.hpp"
#include "support/support.hpp"
#include "weft/base/error.hpp"
#include "weft/data/glyphs.hpp"

using namespace weft;

namespace {

struct Run {
  explicit Run(const WordReadingTaskOptions& options = {.batching = {.max_tokens = 200}}, std::int64_t words = 60,
               double dropout = 0.1)
      : train(data::made_letter_words(words, 1)),
        validation(data::made_letter_words(20, 2)),
        reader({.channels = 4, .embedding = 16, .hidden = 32, .dropout = dropout},
               text::Symbols::of("abcdefhjlnoprtuy", text::SymbolUnit::characters)),
        task(reader, train, validation, options) {}

  std::vector<data::LetterWord> train, validation;
  seq2seq::WordReader reader;
  WordReadingTask task;
};

TrainerOptions options_in(const std::filesystem::path& folder) {
  return {.folder = folder, .epochs = 2, .save_every = 1, .log_every = 100, .lr = 0.01};
}

}  // namespace

TEST_CASE("a word reader's run that was stopped goes on with the same bits, its moved images included") {
  const test::TemporaryFolder folder;
  std::ostringstream progress;
  Run whole;
  const TrainingResult result = train(whole.task, options_in(folder.path() / "whole"), progress);
  auto options = options_in(folder.path() / "parts");
  options.updates = result.updates / 2 + 1;
  Run first;
  train(first.task, options, progress);
  options.updates = 0;
  Run second;
  CHECK(train(second.task, options, progress).updates == result.updates);
  const auto left = whole.reader.state_dict(), right = second.reader.state_dict();
  for (std::size_t i = 0; i < left.size(); ++i) CHECK(test::largest_difference(left[i].tensor, right[i].tensor) == 0);
}

TEST_CASE("a word reader learns made words") {
  const test::TemporaryFolder folder;
  std::ostringstream progress;
  Run run({.batching = {.max_tokens = 200}, .shift = 0, .label_smoothing = 0}, 240, 0);
  auto options = options_in(folder.path());
  options.epochs = 20;
  const TrainingResult result = train(run.task, options, progress);
  REQUIRE(result.best.has_value());
  CHECK(*result.best > 90);  // of 100 letters
  run.reader.eval();
  const WordScore score = score_words(run.reader, run.validation, {.beam = 2});
  CHECK(score.words == 20);
  CHECK(score.read.size() == 20);
  CHECK(score.right >= 14);
  CHECK(score.letters.edits.reference_length() == [&] {
    std::int64_t letters = 0;
    for (const auto& word : run.validation) letters += word.images.size(0);
    return letters;
  }());
}

TEST_CASE("settings and metadata say what a word reader was made of") {
  Run run;
  CHECK(run.task.settings().at("training_words").starts_with("60 words, crc32 "));
  CHECK(run.task.settings().at("shift") == "1");
  CHECK(Run({.batching = {.max_tokens = 200, .max_sentences = 7}}).task.settings().at("batching.max_sentences") == "7");
  CHECK(run.task.metadata().at("word_reader") == seq2seq::to_json(run.reader.reader_options()));
  CHECK(run.task.metadata().contains("symbols"));
  const WordReadingTask noted(run.reader, run.train, run.validation, {}, {{"learned_folds", "1,2"}});
  CHECK(noted.metadata().at("learned_folds") == "1,2");
  CHECK(noted.metadata().contains("word_reader"));
}

TEST_CASE("words that are too long for a batch are left out and counted") {
  Run run;
  CHECK(run.task.left_out() == 0);
  const auto longest = std::max_element(run.train.begin(), run.train.end(), [](const auto& one, const auto& other) {
    return one.images.size(0) < other.images.size(0);
  });
  const std::int64_t most = longest->images.size(0) - 1;
  const auto longer = std::count_if(run.train.begin(), run.train.end(),
                                    [most](const data::LetterWord& word) { return word.images.size(0) > most; });
  WordReadingTask task(run.reader, run.train, run.validation, {.batching = {.max_tokens = 200, .max_length = most}});
  CHECK(task.left_out() == longer);
  std::int64_t words = 0;
  const std::int64_t batches = task.begin_epoch(0);
  for (std::int64_t i = 0; i < batches; ++i) words += task.step(i).words;
  CHECK(words == static_cast<std::int64_t>(run.train.size()) - longer);
}

TEST_CASE("what can't be trained on is refused") {
  Run run;
  const std::vector<data::LetterWord> none;
  CHECK_THROWS_WITH_AS(WordReadingTask(run.reader, run.train, none), "[WordReadingTask] there is nothing to validate on",
                       ValueError);
  CHECK_THROWS_AS(WordReadingTask(run.reader, none, run.validation), ValueError);
  CHECK_THROWS_WITH_AS(WordReadingTask(run.reader, run.train, run.validation, {.shift = 8}),
                       "[WordReadingTask] shift is 8; it must be from 0 to 7, within an image", ValueError);
  CHECK_THROWS_WITH_AS(WordReadingTask(run.reader, run.train, run.validation, {.batching = {.truncate = true}}),
                       "[WordReadingTask] words can't be cut: truncate must be off", ValueError);
  CHECK_THROWS_WITH_AS(score_words(run.reader, none), "[score_words] there are no words to score", ValueError);
}
