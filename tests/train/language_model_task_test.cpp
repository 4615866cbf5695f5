#include "weft/train/language_model_task.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <cmath>
#include <sstream>

#include "support/support.hpp"
#include "train/same_state.hpp"
#include "weft/autograd/tape.hpp"
#include "weft/base/error.hpp"

using namespace weft;

namespace {

std::string alphabet(int times) {
  std::string text;
  for (int i = 0; i < times; ++i) text += "abcdefghij\n";
  return text;
}

struct Run {
  explicit Run(seq2seq::LanguageModelKind kind, const LanguageModelTaskOptions& options = {.rows = 3, .window = 7})
      : symbols(text::Symbols::of(alphabet(1), text::SymbolUnit::characters)),
        model({.kind = kind,
               .vocabulary = symbols.size(),
               .width = 12,
               .layers = 2,
               .heads = 2,
               .feed_forward = 16,
               .dropout = 0.1}),
        task(model, symbols, alphabet(12), alphabet(3), options) {}

  text::Symbols symbols;
  seq2seq::LanguageModel model;
  LanguageModelTask task;
};

TrainerOptions options_in(const std::filesystem::path& folder) {
  return {.folder = folder, .epochs = 2, .save_every = 1, .log_every = 100, .lr = 0.02};
}

}  // namespace

TEST_CASE("a language model's run that was stopped within an epoch goes on with the same bits, its state included") {
  for (const auto kind :
       {seq2seq::LanguageModelKind::lstm, seq2seq::LanguageModelKind::gru, seq2seq::LanguageModelKind::transformer}) {
    const test::TemporaryFolder folder;
    std::ostringstream progress;
    Run straight(kind);
    const TrainingResult whole = train(straight.task, options_in(folder.path() / "straight"), progress);
    for (const std::int64_t stop : {std::int64_t{1}, std::int64_t{3}, whole.updates / 2, whole.updates / 2 + 2}) {
      const auto where = folder.path() / fmt::to_string(stop);
      auto options = options_in(where);
      options.updates = stop;
      Run first(kind);
      train(first.task, options, progress);
      options.updates = 0;
      Run second(kind);
      CHECK(train(second.task, options, progress).updates == whole.updates);
      test::check_same_state(where / "last.safetensors", folder.path() / "straight" / "last.safetensors");
    }
  }
}

TEST_CASE("a language model learns the alphabet") {
  const test::TemporaryFolder folder;
  std::ostringstream progress;
  Run run(seq2seq::LanguageModelKind::lstm);
  auto options = options_in(folder.path() / "run");
  options.epochs = 40;
  const TrainingResult result = train(run.task, options, progress);
  REQUIRE(result.best.has_value());
  CHECK(-*result.best < 0.1);
}

TEST_CASE("every epoch begins at another token, and its windows cover the text") {
  Run run(seq2seq::LanguageModelKind::transformer);
  CHECK_THROWS_AS(run.task.step(0), ValueError);
  CHECK(run.task.begin_epoch(0) == 7);  // (132 - 1) / 3 = 43 tokens a row
  CHECK(run.task.begin_epoch(1) == 6);  // from token 4: 42
  CHECK(run.task.settings().at("rows") == "3");
  CHECK(run.task.metadata().contains("symbols"));
}

TEST_CASE("a state that isn't finite isn't read on from") {
  Run run(seq2seq::LanguageModelKind::lstm);
  run.task.begin_epoch(0);
  run.model.eval();
  Tape tape;
  const double fresh = run.task.step(0).loss.item();
  run.task.step(1);
  const StateDict before = run.task.carried();
  run.task.carry(StateDict{{"h", Tensor::full(before[0].tensor.shape(), std::nan(""))}, {"c", before[1].tensor}});
  CHECK(std::isfinite(run.task.step(2).loss.item()));
  CHECK(std::isfinite(fresh));
}

TEST_CASE("texts that are too short and a model of another vocabulary are refused") {
  const text::Symbols symbols = text::Symbols::of("ab", text::SymbolUnit::characters);
  seq2seq::LanguageModel model({.vocabulary = 3, .width = 4, .layers = 1}), other({.vocabulary = 4, .width = 4, .layers = 1});
  CHECK_NOTHROW(LanguageModelTask(model, symbols, "abab", "abab", {.rows = 3, .window = 2}));
  CHECK_THROWS_AS(LanguageModelTask(model, symbols, "aba", "abab", {.rows = 3, .window = 2}), ValueError);
  CHECK_THROWS_AS(LanguageModelTask(model, symbols, "abab", "aba", {.rows = 3, .window = 2}), ValueError);
  CHECK_THROWS_AS(LanguageModelTask(model, symbols, "abab", "", {.rows = 3, .window = 2}), ValueError);
  CHECK_THROWS_AS(LanguageModelTask(model, symbols, "abab", "abab", {.rows = 3, .window = 0}), ValueError);
  CHECK_THROWS_AS(LanguageModelTask(model, symbols, "ab\xFF", "abab", {.rows = 1, .window = 2}), FormatError);
  CHECK_THROWS_AS(LanguageModelTask(other, symbols, "abab", "abab", {.rows = 1, .window = 2}), ValueError);
}
