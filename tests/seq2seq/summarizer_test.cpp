#include "weft/seq2seq/summarizer.hpp"

#include <doctest/doctest.h>

#include "seq2seq/negative_size.hpp"
#include "support/support.hpp"
#include "weft/base/error.hpp"
#include "weft/nn/module.hpp"
#include "weft/seq2seq/model_options.hpp"

using namespace weft;
using namespace weft::seq2seq;

namespace {

text::ExtendedVocabulary vocabulary() {
  return text::ExtendedVocabulary::of(std::vector<std::string>{"the bank said it rose", "the bank , the oil to"});
}

EncoderDecoderOptions options(bool copy = true) {
  return {.source_vocabulary = vocabulary().size(),
          .target_vocabulary = vocabulary().size(),
          .embedding = 8,
          .hidden = 12,
          .attention = AttentionKind::coverage,
          .copy = copy};
}

Summarizer summarizer(bool copy = true, std::uint64_t seed = 1) {
  Summarizer made(options(copy), vocabulary(), seed);
  made.model().eval();
  return made;
}

const std::vector<std::string> texts = {"The Bank said Nyx <NYX> rose.", "", "It rose 15.75 pct, the oil to Xen", " \t"};

}  // namespace

TEST_CASE("texts become words with ids of their own, and summaries find them") {
  const Summarizer made = summarizer();
  const std::int32_t first = static_cast<std::int32_t>(vocabulary().size());
  const auto source = made.encode_source(texts[0], 100);
  CHECK(source.further == text::FurtherWords{"nyx", "<", ">", "."});
  CHECK(source.ids.size() == 9);
  CHECK(source.ids[3] == first);
  CHECK(made.encode_summary("NYX<NYX yak Rose", source) == TokenIds{first, first + 1, first, unknown_id, source.ids[7]});
  CHECK(made.encode_source(texts[0], 4).further == text::FurtherWords{"nyx"});
  const auto plain = summarizer(false).encode_source(texts[0], 100);
  CHECK(plain.further.empty());
  CHECK(plain.ids[3] == unknown_id);
  CHECK(plain.ids[0] == source.ids[0]);
}

TEST_CASE("summaries come in the order of their texts, alone as in a batch") {
  Summarizer made = summarizer();
  const SummarizeOptions asked{.search = {.beam = 3, .max_length = 5, .attention = true}};
  const auto whole = made.summarize(texts, asked);
  REQUIRE(whole.size() == 4);
  for (const std::size_t blank : {std::size_t{1}, std::size_t{3}}) {
    CHECK(whole[blank].text.empty());
    CHECK(whole[blank].words.empty());
  }
  for (const std::size_t i : {std::size_t{0}, std::size_t{2}}) {
    const Summary alone = made.summarize(std::span(&texts[i], 1), asked)[0];
    CHECK(alone.text == whole[i].text);
    CHECK(alone.score == doctest::Approx(whole[i].score));
    const auto words = static_cast<std::int64_t>(whole[i].words.size());
    CHECK(whole[i].attention.shape() == Shape{words, static_cast<std::int64_t>(whole[i].source_words.size())});
    CHECK(whole[i].generate.shape() == Shape{words});
    CHECK(whole[i].copied.shape() == Shape{words});
    for (std::int64_t t = 0; t < words; ++t) {
      CHECK(whole[i].copied.at({t}) >= 0);
      CHECK(whole[i].copied.at({t}) <= 1 + 1e-6);
    }
  }
  CHECK(whole[0].source_words[3] == "nyx");
  CHECK(whole[2].source_words[2] == "15");
  CHECK(as_words("It rose 15.75 pct") == "it rose 15 . 75 pct");
  CHECK(made.summarize({}).empty());
  CHECK_FALSE(made.summarize(texts, {.search = {.beam = 1}})[0].attention.defined());
}

TEST_CASE("words that a model knows to be unknown are left out of the text") {
  Summarizer made = summarizer(false);
  for (const auto& [name, tensor] : made.model().state_dict())
    if (name == "output.bias") {
      Tensor bias = tensor;
      bias.mutable_data<float>()[unknown_id] = 50;
    }
  const Summary summary = made.summarize(std::span(texts.data(), 1), {.search = {.beam = 1, .max_length = 3}})[0];
  CHECK(summary.words.front() == "<unk>");
  CHECK(summary.text.empty());
}

TEST_CASE("a summarizer is loaded from a run's folder") {
  const test::TemporaryFolder folder;
  Summarizer made = summarizer(true, 7);
  nn::save(made.model(), folder.path() / "best.safetensors", made.metadata());
  const auto loaded = Summarizer::load(folder.path());
  CHECK(loaded->vocabulary().to_json() == vocabulary().to_json());
  CHECK(loaded->summarize(texts)[2].text == made.summarize(texts)[2].text);

  Summarizer other_weights = summarizer(true, 8);
  loaded->add(std::move(other_weights));
  CHECK_THROWS_WITH_AS(loaded->add(std::move(other_weights)),
                       "[Summarizer] the other has no model any more: it was moved, or added to another", ValueError);
  CHECK_THROWS_WITH_AS(other_weights.add(summarizer(true, 9)),
                       "[Summarizer] this has no model any more: it was moved, or added to another", ValueError);
  CHECK_THROWS_AS(other_weights.summarize(texts), ValueError);
  CHECK_THROWS_AS(other_weights.encode_source(texts[0], 5), ValueError);
  CHECK_THROWS_AS(other_weights.metadata(), ValueError);
  CHECK_THROWS_AS(other_weights.model(), ValueError);
  CHECK(loaded->summarize(texts).size() == 4);
  CHECK_THROWS_WITH_AS(loaded->add(summarizer(false)), "[Summarizer] of an ensemble's models all copy, or none does",
                       ValueError);
  const auto other = text::ExtendedVocabulary::of(std::vector<std::string>{"some other words a b c d e"});
  auto other_options = options();
  other_options.source_vocabulary = other_options.target_vocabulary = other.size();
  CHECK_THROWS_WITH_AS(loaded->add(Summarizer(other_options, other)),
                       "[Summarizer] models of an ensemble have one vocabulary, not one of 12 words and another of 12",
                       ValueError);
}

TEST_CASE("what is no summarizer is refused") {
  const test::TemporaryFolder folder;
  const auto path = folder.path() / "best.safetensors";
  CHECK_THROWS_WITH_AS(Summarizer::load(folder.path()), doctest::Contains("is no folder of a training run"), IoError);
  Summarizer made = summarizer();
  nn::save(made.model(), path);
  CHECK_THROWS_WITH_AS(Summarizer::load(folder.path()), doctest::Contains("its metadata don't describe a summarizer"),
                       FormatError);
  Metadata metadata = made.metadata();
  metadata["summarizer"] = to_json(TransformerOptions{});
  nn::save(made.model(), path, metadata);
  CHECK_THROWS_WITH_AS(Summarizer::load(folder.path()), doctest::Contains("another model than a summarizer's"), FormatError);
  metadata = made.metadata();
  metadata["words"] = text::ExtendedVocabulary::of(std::vector<std::string>{"a"}).to_json();
  nn::save(made.model(), path, metadata);
  CHECK_THROWS_WITH_AS(Summarizer::load(folder.path()),
                       doctest::Contains("[Summarizer] a vocabulary of 5 words doesn't fit a model of 12 and 12"), FormatError);
  CHECK_THROWS_AS(made.summarize(texts, {.batch = 0}), ValueError);
  CHECK_THROWS_AS(made.summarize(std::vector<std::string>{"\xFF"}), FormatError);
}

TEST_CASE("sizes that no summarizer can have are the file's fault") {
  Summarizer made = summarizer();
  test::check_negative_size_refused(made.model(), made.metadata(), "summarizer", "hidden",
                                    [](const auto& folder) { return Summarizer::load(folder); });
}
