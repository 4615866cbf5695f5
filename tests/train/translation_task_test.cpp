#include "weft/train/translation_task.hpp"

#include <doctest/doctest.h>

#include <cmath>

#include "support/leaks.hpp"
#include "weft/autograd/tape.hpp"
#include "weft/base/error.hpp"

using namespace weft;

namespace {

const data::ParallelText& pairs() {
  static const data::ParallelText some{
      {"the dog sees the cat .", "a cat hears the old bird .", "the small bird finds a tree .", "birds sing ."},
      {"le chien voit le chat .", "un chat entend  le vieil oiseau . ", "le petit oiseau trouve\tun arbre .",
       "ils chantent ."}};
  return some;
}

seq2seq::Translator& translator() {
  static seq2seq::Translator made = [] {
    const text::SentencePieceOptions options{.vocab_size = 40};
    const seq2seq::Vocabularies vocabularies{text::SentencePiece::train(pairs().source, options),
                                             text::SentencePiece::train(pairs().target, options)};
    return seq2seq::Translator(seq2seq::EncoderDecoderOptions{.source_vocabulary = vocabularies.source.size(),
                                                              .target_vocabulary = vocabularies.target.size(),
                                                              .embedding = 6,
                                                              .hidden = 8},
                               vocabularies);
  }();
  return made;
}

const test::BeforeTests translator_is_made([] { translator(); });

TranslationTaskOptions options() {
  return {.batching = {.max_tokens = 120, .max_length = 60}, .validation = {.search = {.beam = 1, .max_length = 8}}};
}

TranslationTask task_with(const TranslationTaskOptions& options) {
  return TranslationTask(translator(), pairs(), pairs(), options);
}

}  // namespace

TEST_CASE("the share of the decoder's own tokens grows over the first epochs, and is a setting of the run") {
  TranslationTaskOptions scheduled = options();
  scheduled.scheduled_sampling = 1;
  scheduled.sampling_epochs = 2;
  TranslationTask plain = task_with(options()), task = task_with(scheduled);
  translator().model().train();
  const auto loss = [](TranslationTask& of, std::int64_t epoch, std::int64_t index) {
    of.begin_epoch(epoch);
    Generator generator(1);
    Tape tape(generator);
    return of.step(index).loss.item();
  };
  CHECK(loss(task, 0, 0) == loss(plain, 0, 0));  // none yet
  CHECK(loss(task, 0, 1) != loss(plain, 0, 1));
  CHECK(loss(task, 2, 0) != loss(plain, 2, 0));
  scheduled.sampling_epochs = 0;
  TranslationTask at_once = task_with(scheduled);
  CHECK(loss(at_once, 0, 0) != loss(plain, 0, 0));
  CHECK(loss(at_once, 2, 0) == loss(task, 2, 0));
  CHECK(task.settings().at("scheduled_sampling") == "1, after 2 epochs");
  CHECK(plain.settings().count("scheduled_sampling") == 0);
  scheduled.scheduled_sampling = 1.5;
  CHECK_THROWS_WITH_AS(task_with(scheduled), doctest::Contains("scheduled_sampling is 1.5 and sampling_epochs 0"), ValueError);
}

TEST_CASE("an epoch's batches count each pair once, their tokens with the sentence's end, and the target's words") {
  TranslationTask task = task_with(options());
  translator().model().train();
  std::int64_t expected_tokens = 0;
  for (const auto& line : pairs().target)
    expected_tokens += static_cast<std::int64_t>(translator().vocabularies().target.encode(line).size()) + 1;
  for (const std::int64_t epoch : {0, 1}) {
    const std::int64_t batches = task.begin_epoch(epoch);
    CHECK(batches > 1);
    std::int64_t tokens = 0, words = 0;
    for (std::int64_t i = 0; i < batches; ++i) {
      Generator generator(1);
      Tape tape(generator);
      const StepLoss loss = task.step(i);
      CHECK(std::isfinite(loss.loss.item()));
      tokens += loss.tokens;
      words += loss.words;
    }
    CHECK(tokens == expected_tokens);
    CHECK(words == 6 + 7 + 7 + 3);
  }
}

TEST_CASE("validation gives the mean loss of a token, without smoothing, and BLEU") {
  TranslationTask task = task_with(options());
  translator().model().eval();
  const NoGrad nothing_recorded;
  const ValidationResult result = task.validate();
  auto smoothed_options = options();
  smoothed_options.label_smoothing = 0.9;
  TranslationTask smoothed = task_with(smoothed_options);
  CHECK(smoothed.validate().loss == result.loss);
  CHECK(result.loss == doctest::Approx(std::log(static_cast<double>(translator().vocabularies().target.size()))).epsilon(0.3));
  REQUIRE(result.score);
  CHECK(*result.score >= 0);
  CHECK(*result.score < 100);
}

TEST_CASE("the settings tell every option and both texts apart") {
  const Metadata settings = task_with(options()).settings();
  CHECK(task_with(options()).settings() == settings);
  CHECK(settings.at("batching.max_tokens") == "120");
  const auto differs = [&](const std::string& key, const auto& change) {
    auto other = options();
    change(other);
    Metadata changed = task_with(other).settings();
    CHECK_MESSAGE(changed.at(key) != settings.at(key), key);
    changed[key] = settings.at(key);
    CHECK(changed == settings);
  };
  differs("batching.max_tokens", [](auto& o) { o.batching.max_tokens = 130; });
  differs("batching.max_sentences", [](auto& o) { o.batching.max_sentences = 3; });
  differs("batching.pool_size", [](auto& o) { o.batching.pool_size = 2; });
  differs("batching.max_length", [](auto& o) { o.batching.max_length = 50; });
  differs("batching.truncate", [](auto& o) { o.batching.truncate = true; });
  differs("batching.seed", [](auto& o) { o.batching.seed = 2; });
  differs("label_smoothing", [](auto& o) { o.label_smoothing = 0; });
  differs("validation.sentences", [](auto& o) { o.validation_sentences = 2; });
  differs("validation.search", [](auto& o) { o.validation.search.beam = 2; });
  differs("validation.bleu", [](auto& o) { o.bleu.lowercase = true; });
  for (const bool target : {false, true}) {
    auto other = pairs();
    (target ? other.target : other.source)[1] += "x";
    const Metadata train = TranslationTask(translator(), other, pairs(), options()).settings();
    CHECK(train.at("training_text") != settings.at("training_text"));
    CHECK(train.at("validation_text") == settings.at("validation_text"));
    const Metadata validation = TranslationTask(translator(), pairs(), other, options()).settings();
    CHECK(validation.at("training_text") == settings.at("training_text"));
    CHECK(validation.at("validation_text") != settings.at("validation_text"));
  }
  // The same characters on other lines.
  const Metadata moved = TranslationTask(translator(), {{"a b", "c"}, {"d", "e"}}, pairs(), options()).settings();
  CHECK(moved.at("training_text") !=
        TranslationTask(translator(), {{"a ", "bc"}, {"d", "e"}}, pairs(), options()).settings().at("training_text"));
}

TEST_CASE("texts that can't be are refused") {
  CHECK_THROWS_WITH_AS(TranslationTask(translator(), pairs(), {}, options()), doctest::Contains("nothing to validate on"),
                       ValueError);
  CHECK_THROWS_WITH_AS(TranslationTask(translator(), pairs(), {{"one", "two"}, {"un"}}, options()),
                       doctest::Contains("2 source sentences to validate on, but 1 target"), ValueError);
  CHECK_THROWS_AS(TranslationTask(translator(), {}, pairs(), options()), ValueError);
  CHECK_THROWS_AS(TranslationTask(translator(), {{"one", "two"}, {"un"}}, pairs(), options()), ValueError);
  CHECK_THROWS_AS(TranslationTask(translator(), {{"caf\xe9"}, {"un"}}, pairs(), options()), FormatError);
}
