#include "weft/seq2seq/text_classifier.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <numeric>

#include "seq2seq/negative_size.hpp"
#include "support/support.hpp"
#include "weft/autograd/tape.hpp"
#include "weft/base/error.hpp"
#include "weft/ops/softmax.hpp"

using namespace weft;
using namespace weft::seq2seq;

namespace {

using Lines = std::vector<std::string>;

TextClassifier made(std::int64_t max_words = 4) {
  const std::vector<data::Document> documents = {{"a", 0, 0, {"A dull film.", "It was dull!"}}, {"b", 1, 0, {"A fine film."}}};
  DocumentClassifierOptions options;
  options.embedding = 4;
  options.words.hidden = options.sentences.hidden = 3;
  return {options, {document_symbols(documents, 1), {"neg", "pos"}, max_words}, 5};
}

}  // namespace

TEST_CASE("what is read of lines: lower case, punctuation apart, long ones as several sentences, none without words") {
  const Lines lines = {"It's GOOD, isn't it?", " \t", "One two three four", "É-t-il"};
  const SentenceWords words = sentence_words(lines, 4);
  REQUIRE(words.size() == 4);
  CHECK(words[0] == Lines{"it's", "good", ",", "isn't"});
  CHECK(words[1] == Lines{"it", "?"});
  CHECK(words[2] == Lines{"one", "two", "three", "four"});
  CHECK(words[3] == Lines{"é-t-il"});
  CHECK(sentence_words(Lines{}, 4).empty());
  CHECK_THROWS_AS(sentence_words(Lines{"caf\xE9"}, 4), FormatError);
  CHECK_THROWS_AS(sentence_words(lines, 0), ValueError);
}

TEST_CASE("the words of documents, and those that are rare") {
  const std::vector<data::Document> documents = {{"a", 0, 0, {"A dull film.", "It was Dull!"}}, {"b", 1, 0, {"A fine film."}}};
  CHECK(document_symbols(documents, 1).size() == 9);  // unknown, a dull film . it was ! fine
  const text::Symbols often = document_symbols(documents, 2);
  CHECK(often.size() == 5);
  CHECK(often.encode("fine dull").at(0) == 0);
  CHECK(often.encode("fine dull").at(1) != 0);
}

TEST_CASE("texts are classified as the model alone does, with a weight for each word and sentence") {
  TextClassifier classifier = made();
  classifier.model().train();  // dropout is off without a tape
  const Lines first = {"A dull and very dull film."}, second = {"Fine!", "It was fine."};
  const std::vector<SentenceWords> words = {classifier.words(first), classifier.words(second), classifier.words(second)};
  std::vector<Sentences> texts;
  for (const auto& each : words) texts.push_back(classifier.encode(each));
  CHECK(texts[0].size() == 2);
  CHECK(std::count(texts[0][0].begin(), texts[0][0].end(), 0) == 2);  // and, very
  const auto all = classifier.classify(texts, 2);
  REQUIRE(all.size() == 3);
  const NoGrad nothing_recorded;
  for (std::size_t i = 0; i < 3; ++i) {
    const Sentences* one = &texts[i];
    const DocumentOutput out = classifier.model()(make_batch(std::span(&one, 1)));
    const Tensor probabilities = softmax(out.output, -1).value();
    for (std::int64_t c = 0; c < 2; ++c)
      CHECK(all[i].probabilities[static_cast<std::size_t>(c)] == doctest::Approx(probabilities.at({0, c})).epsilon(1e-5));
    CHECK(all[i].label == (probabilities.at({0, 1}) > 0.5 ? 1 : 0));
    REQUIRE(all[i].sentence_weights.size() == words[i].size());
    REQUIRE(all[i].word_weights.size() == words[i].size());
    CHECK(std::accumulate(all[i].sentence_weights.begin(), all[i].sentence_weights.end(), 0.0) == doctest::Approx(1));
    for (std::size_t s = 0; s < words[i].size(); ++s) {
      CHECK(all[i].word_weights[s].size() == words[i][s].size());
      CHECK(std::accumulate(all[i].word_weights[s].begin(), all[i].word_weights[s].end(), 0.0) == doctest::Approx(1));
    }
  }
  CHECK(classifier.classify({}).empty());
  CHECK_THROWS_WITH_AS(classifier.classify(std::vector<Sentences>{texts[0], {}}), "[TextClassifier] text 1 has no words",
                       ValueError);
  CHECK_THROWS_AS(classifier.classify(texts, 0), ValueError);
}

TEST_CASE("a classifier comes back from its folder with the same bits") {
  const test::TemporaryFolder folder;
  TextClassifier classifier = made(7);
  Metadata metadata = classifier.metadata();
  metadata["fold"] = "3";
  nn::save(classifier.model(), folder.path() / "best.safetensors", metadata);
  const auto back = TextClassifier::load(folder.path());
  CHECK(back->vocabulary().classes == Lines{"neg", "pos"});
  CHECK(back->vocabulary().max_words == 7);
  CHECK(back->loaded().at("fold") == "3");
  CHECK(back->metadata() == classifier.metadata());
  const std::vector<Sentences> texts = {back->encode(back->words(Lines{"A fine film."}))};
  CHECK(back->classify(texts)[0].probabilities == classifier.classify(texts)[0].probabilities);
}

TEST_CASE("sizes that no classifier can have are the file's fault") {
  TextClassifier classifier = made();
  test::check_negative_size_refused(classifier.model(), classifier.metadata(), "document_classifier", "embedding",
                                    [](const auto& folder) { return TextClassifier::load(folder); });
}

TEST_CASE("folders that hold no classifier") {
  const test::TemporaryFolder folder;
  const auto path = folder.path() / "best.safetensors";
  CHECK_THROWS_WITH_AS(TextClassifier::load(folder.path()),
                       fmt::format("[TextClassifier] there is no {}: {} is no folder of a training run that was validated",
                                   path.string(), folder.path().string())
                           .c_str(),
                       IoError);
  TextClassifier classifier = made();
  for (const char* key : {"document_classifier", "symbols", "classes", "max_words"}) {
    Metadata metadata = classifier.metadata();
    metadata.erase(key);
    nn::save(classifier.model(), path, metadata);
    CHECK_THROWS_WITH_AS(
        TextClassifier::load(folder.path()),
        fmt::format("[TextClassifier] {}: its metadata don't describe a classifier of texts: they have no '{}'", path.string(),
                    key)
            .c_str(),
        FormatError);
    metadata[key] = "-1";
    nn::save(classifier.model(), path, metadata);
    CHECK_THROWS_AS(TextClassifier::load(folder.path()), FormatError);
  }
  CHECK_THROWS_AS(made(0), ValueError);
}
