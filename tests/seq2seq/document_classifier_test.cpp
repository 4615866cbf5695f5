#include "weft/seq2seq/document_classifier.hpp"

#include <doctest/doctest.h>

#include "support/elements.hpp"
#include "support/random.hpp"
#include "weft/autograd/gradcheck.hpp"
#include "weft/autograd/tape.hpp"
#include "weft/base/error.hpp"
#include "weft/ops/loss.hpp"
#include "weft/ops/reduce.hpp"

using namespace weft;
using namespace weft::seq2seq;
using nn::attention::SequenceEncoder;

namespace {

DocumentClassifierOptions small(SequenceEncoder words = SequenceEncoder::gru,
                                SequenceEncoder sentences = SequenceEncoder::gru) {
  DocumentClassifierOptions options;
  options.vocabulary = 7;
  options.classes = 3;
  options.embedding = 4;
  options.embedding_deviation = 0.5;
  options.words = {.encoder = words, .hidden = 2};
  options.sentences = {.encoder = sentences, .hidden = 3};
  options.dropout = 0;
  return options;
}

const std::vector<Sentences>& documents() {
  static const std::vector<Sentences> some = {{{1, 2, 3}, {4}, {5, 0}}, {{6, 6, 2, 1}}, {{3, 1}, {2}}};
  return some;
}

DocumentBatch batch_of(const std::vector<Sentences>& documents) {
  std::vector<const Sentences*> rows;
  for (const Sentences& document : documents) rows.push_back(&document);
  return make_batch(rows);
}

}  // namespace

TEST_CASE("a batch has all sentences as rows") {
  const DocumentBatch batch = batch_of(documents());
  CHECK(batch.words.str() == "[[1, 2, 3, 0],\n [4, 0, 0, 0],\n [5, 0, 0, 0],\n [6, 6, 2, 1],\n [3, 1, 0, 0],\n [2, 0, 0, 0]]");
  CHECK(batch.lengths.str() == "[3, 1, 2, 4, 2, 1]");
  CHECK(batch.sentences.str() == "[3, 1, 2]");
  CHECK_THROWS_WITH_AS(make_batch(std::span<const Sentences* const>()), "[make_batch] no documents to make a batch of",
                       ValueError);
  CHECK_THROWS_WITH_AS(batch_of({{{1}}, {}}), "[make_batch] document 1 has no sentences", ValueError);
  CHECK_THROWS_WITH_AS(batch_of({{{1}, {}}}), "[pad] row 1 has no tokens", ValueError);
}

TEST_CASE("a document gets in a batch what it gets alone") {
  for (const SequenceEncoder encoder :
       {SequenceEncoder::gru, SequenceEncoder::lstm, SequenceEncoder::conv, SequenceEncoder::none}) {
    DocumentClassifier model(small(encoder, encoder));
    model.to(f64);
    const DocumentOutput all = model(batch_of(documents()));
    CHECK(all.output.shape() == Shape{3, 3});
    std::int64_t row = 0;
    for (std::int64_t i = 0; i < 3; ++i) {
      const Sentences& document = documents()[static_cast<std::size_t>(i)];
      const auto sentences = static_cast<std::int64_t>(document.size());
      const DocumentOutput alone = model(batch_of({document}));
      CHECK(test::largest_difference(all.output.value().slice(0, i, i + 1), alone.output.value()) <= 1e-12);
      CHECK(test::largest_difference(all.sentence_weights.value().slice(0, i, i + 1).slice(1, 0, sentences),
                                     alone.sentence_weights.value()) <= 1e-12);
      const std::int64_t words = alone.word_weights.size(1);
      CHECK(test::largest_difference(all.word_weights.value().slice(0, row, row + sentences).slice(1, 0, words),
                                     alone.word_weights.value()) <= 1e-12);
      row += sentences;
    }
    // Weights are shares, and padding has none.
    CHECK(test::largest_difference(sum(all.sentence_weights, {1}).value(), Tensor::ones({3}, f64)) <= 1e-12);
    CHECK(test::largest_difference(sum(all.word_weights, {1}).value(), Tensor::ones({6}, f64)) <= 1e-12);
    CHECK(all.sentence_weights.value().at({1, 1}) == 0);
    CHECK(all.word_weights.value().at({1, 1}) == 0);
  }
}

TEST_CASE("what stands behind a sentence's end doesn't matter") {
  DocumentClassifier model(small());
  model.to(f64);
  const DocumentBatch batch = batch_of(documents());
  DocumentBatch other = batch;
  other.words = batch.words.clone();
  auto* word = other.words.mutable_data<std::int32_t>();
  for (std::int64_t row = 0; row < 6; ++row)
    for (auto i = static_cast<std::int64_t>(batch.lengths.at({row})); i < 4; ++i) word[row * 4 + i] = 5;
  CHECK(test::largest_difference(model(batch).output.value(), model(other).output.value()) == 0);
}

TEST_CASE("of a word that isn't there the vector is zeros") {
  DocumentClassifier model(small());
  model.to(f64);
  const DocumentBatch batch = batch_of(documents());
  const Tensor whole = Tensor::ones(batch.words.shape(), f64);
  CHECK(test::largest_difference(model(batch).output.value(), model(batch, whole).output.value()) == 0);
  Tensor without = whole.clone();
  without.slice(0, 1, 2).slice(1, 0, 1).fill(0);  // 4, which stands there alone
  DocumentClassifier other(small());
  other.to(f64);
  other.load_state_dict(model.state_dict());
  for (const auto& [name, parameter] : other.named_parameters())
    if (name == "embedding.weight") parameter->mutable_value().select(0, 4).fill(0);
  CHECK(test::largest_difference(other(batch).output.value(), model(batch, without).output.value()) == 0);
  CHECK_THROWS_WITH_AS(model(batch, Tensor::ones({6, 3}, f64)),
                       "[DocumentClassifier] presence f64[6, 3] is not one number for each of the words i32[6, 4]", ShapeError);
}

TEST_CASE("a lone sentence, and the order of words and sentences") {
  DocumentClassifier model(small());
  const Tensor one = model(batch_of({{{1, 2}}})).sentence_weights.value();
  CHECK(one.shape() == Shape{1, 1});
  CHECK(one.item() == 1);
  const auto differs = [&](const Sentences& a, const Sentences& b, DocumentClassifier& of) {
    return test::largest_difference(of(batch_of({a})).output.value(), of(batch_of({b})).output.value()) > 1e-6;
  };
  CHECK(differs({{1, 2}, {3}}, {{2, 1}, {3}}, model));
  CHECK(differs({{1, 2}, {3}}, {{3}, {1, 2}}, model));
  DocumentClassifier bags(small(SequenceEncoder::none, SequenceEncoder::none));  // without encoders there is no order
  CHECK_FALSE(differs({{1, 2}, {3}}, {{2, 1}, {3}}, bags));
  CHECK_FALSE(differs({{1, 2}, {3}}, {{3}, {1, 2}}, bags));
}

TEST_CASE("gradients of a document classifier") {
  for (const SequenceEncoder words : {SequenceEncoder::gru, SequenceEncoder::conv, SequenceEncoder::none}) {
    DocumentClassifierOptions options = small(words, SequenceEncoder::lstm);
    options.sentences.join_input = true;
    DocumentClassifier model(options);
    model.to(f64);
    const Tensor labels = Tensor::from<std::int64_t>({2, 0, 1}, {3});
    const auto loss = [&] { return cross_entropy(model(batch_of(documents())).output, labels); };
    gradcheck_parameters(loss, model.parameters(), {.elements = test::elements(20)}).require();
    gradgradcheck_parameters(loss, model.parameters(), {.rtol = 1e-4, .elements = 2}).require();
  }
}

TEST_CASE("a word that is dropped is gone from the whole batch") {
  DocumentClassifierOptions options = small(SequenceEncoder::none, SequenceEncoder::none);
  options.word_dropout = 0.5;
  DocumentClassifier model(options);
  const DocumentBatch same = batch_of({{{1}}, {{1}}, {{1}}, {{1}}});
  Generator generator(3);
  int dropped = 0;
  for (int i = 0; i < 40; ++i) {
    Tape tape(generator);
    const Tensor out = model(same).output.value();
    CHECK(test::largest_difference(out.slice(0, 0, 1), out.slice(0, 3, 4)) == 0);
    dropped += out.at({0, 0}) == model.parameters().back()->value().at({0}) ? 1 : 0;  // the bias alone
  }
  CHECK(dropped > 10);
  CHECK(dropped < 30);
}

TEST_CASE("a document classifier's options go through JSON, and bad ones are refused") {
  DocumentClassifierOptions options = small(SequenceEncoder::conv, SequenceEncoder::lstm);
  options.words.kernel_size = 5;
  options.sentences.join_input = true;
  options.normaliser = nn::Normaliser::entmax15;
  options.word_dropout = 0.25;
  CHECK(to_json(document_classifier_options_of(to_json(options), "file")) == to_json(options));
  CHECK_THROWS_AS(document_classifier_options_of("{}", "file"), FormatError);
  CHECK_THROWS_AS(document_classifier_options_of("no json", "file"), FormatError);
  std::string wrong = to_json(options);
  wrong.replace(wrong.find("conv"), 4, "cnn1");
  CHECK_THROWS_WITH_AS(document_classifier_options_of(wrong, "file"),
                       doctest::Contains("'cnn1' is no encoder; gru, lstm, conv and none are"), FormatError);
  wrong = to_json(options);
  wrong.replace(wrong.find("entmax15"), 8, "max");
  CHECK_THROWS_WITH_AS(document_classifier_options_of(wrong, "file"),
                       doctest::Contains("'max' is no normaliser; softmax, sparsemax, entmax15 are"), FormatError);
  options = small();
  options.classes = 1;
  CHECK_THROWS_AS(DocumentClassifier{options}, ValueError);
  options = small();
  options.vocabulary = 0;
  CHECK_THROWS_AS(DocumentClassifier{options}, ValueError);
  options = small();
  options.words.hidden = 0;
  CHECK_THROWS_AS(DocumentClassifier{options}, ValueError);
}

TEST_CASE("batches that don't fit are refused") {
  DocumentClassifier model(small());
  const DocumentBatch good = batch_of(documents());
  DocumentBatch bad = good;
  bad.sentences = Tensor::from<std::int64_t>({3, 1, 1}, {3});
  CHECK_THROWS_WITH_AS(model(bad), "[DocumentClassifier] the documents have 5 sentences in all, the words i32[6, 4] are of 6",
                       ShapeError);
  bad.sentences = Tensor::from<std::int64_t>({3, 0, 3}, {3});
  CHECK_THROWS_WITH_AS(model(bad), "[DocumentClassifier] document 1 has 0 sentences; one at least is needed", ValueError);
  bad.sentences = Tensor::ones({3});
  CHECK_THROWS_AS(model(bad), DTypeError);
  bad = good;
  bad.lengths = Tensor::ones({3}, i64);
  CHECK_THROWS_WITH_AS(model(bad), "[DocumentClassifier] words i32[6, 4] with lengths i64[3] are not [rows, words] with [rows]",
                       ShapeError);
  CHECK_THROWS_AS(model(DocumentBatch{}), ValueError);
  CHECK_THROWS_AS(model(batch_of({{{7}}})), IndexError);
}
