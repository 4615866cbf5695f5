#include "weft/seq2seq/attributions.hpp"

#include <doctest/doctest.h>

#include <cmath>

#include "weft/autograd/tape.hpp"
#include "weft/base/error.hpp"
#include "weft/ops/loss.hpp"
#include "weft/ops/shape.hpp"

using namespace weft;
using namespace weft::seq2seq;
using nn::attention::SequenceEncoder;

namespace {

const Sentences document = {{1, 2, 3}, {4}, {5, 0}};

DocumentClassifierOptions small(SequenceEncoder encoder, nn::Normaliser normaliser = nn::Normaliser::softmax) {
  DocumentClassifierOptions options;
  options.vocabulary = 7;
  options.classes = 3;
  options.embedding = 4;
  options.embedding_deviation = 1;
  options.words = options.sentences = {.encoder = encoder, .hidden = 3, .join_input = true};
  options.normaliser = normaliser;
  return options;
}

double logit(DocumentClassifier& model, const Tensor& presence, std::int64_t label) {
  const NoGrad nothing_recorded;
  const Sentences* one = &document;
  return model(make_batch(std::span(&one, 1)), presence).output.value().at({0, label});
}

/// df / d(presence at a place), by differences.
template <class Function>
double slope(const Function& f, const Tensor& presence, std::int64_t row, std::int64_t column) {
  constexpr double h = 1e-5;
  const auto moved = [&](double by) {
    Tensor there = presence.clone();
    there.mutable_data<double>()[row * presence.size(1) + column] += by;
    return f(there);
  };
  return (moved(h) - moved(-h)) / (2 * h);
}

}  // namespace

TEST_CASE("what words add to a logit: slopes, and shares of all that they change") {
  for (const SequenceEncoder encoder : {SequenceEncoder::gru, SequenceEncoder::lstm, SequenceEncoder::conv}) {
    DocumentClassifier model(small(encoder));
    model.to(f64);
    model.eval();
    const Tensor whole = Tensor::ones({3, 3}, f64);
    for (const std::int64_t label : {0, 2}) {
      const WordAttributions found = word_attributions(model, document, label);
      REQUIRE(found.gradient_times_input.size() == document.size());
      REQUIRE(found.integrated_gradients.size() == document.size());
      double sum = 0, magnitudes = 0;
      for (std::size_t row = 0; row < document.size(); ++row) {
        REQUIRE(found.gradient_times_input[row].size() == document[row].size());
        REQUIRE(found.integrated_gradients[row].size() == document[row].size());
        for (std::size_t word = 0; word < document[row].size(); ++word) {
          const double expected = slope([&](const Tensor& presence) { return logit(model, presence, label); }, whole,
                                        static_cast<std::int64_t>(row), static_cast<std::int64_t>(word));
          CHECK(found.gradient_times_input[row][word] == doctest::Approx(expected).epsilon(1e-5));
          sum += found.integrated_gradients[row][word];
          magnitudes += std::abs(found.integrated_gradients[row][word]);
        }
      }
      CHECK(found.difference ==
            doctest::Approx(logit(model, whole, label) - logit(model, Tensor::zeros({3, 3}, f64), label)).epsilon(1e-12));
      CHECK(found.gap <= 1e-3);
      CHECK(std::abs(sum - found.difference) == doctest::Approx(found.gap * magnitudes).epsilon(1e-9));
    }
    for (const Parameter* parameter : model.parameters()) CHECK_FALSE(parameter->grad().defined());
  }
}

TEST_CASE("integrated gradients of words are complete in f32 and with sparse weights") {
  for (const nn::Normaliser normaliser : {nn::Normaliser::softmax, nn::Normaliser::entmax15, nn::Normaliser::sparsemax}) {
    DocumentClassifier model(small(SequenceEncoder::gru, normaliser));
    model.eval();
    CHECK(word_attributions(model, document, 1).gap <= 1e-3);
    CHECK(word_attributions(model, document, 1, {.tolerance = 1e-2, .steps = 1}).gap <= 1e-2);
  }
  DocumentClassifier model(small(SequenceEncoder::gru));
  model.eval();
  CHECK_THROWS_AS(word_attributions(model, document, 3), IndexError);
  CHECK_THROWS_AS(word_attributions(model, {}, 0), ValueError);
  CHECK_THROWS_AS(word_attributions(model, document, 0, {.tolerance = 1e-12, .steps = 1, .most_steps = 2}), NumericError);
}

TEST_CASE("what a context adds to the log probability of the last token is its slope") {
  const std::vector<std::int32_t> ids = {3, 1, 4, 1, 5, 2};
  for (const LanguageModelKind kind : {LanguageModelKind::lstm, LanguageModelKind::gru, LanguageModelKind::transformer}) {
    LanguageModel model({.kind = kind, .vocabulary = 7, .width = 8, .layers = 2, .heads = 2, .feed_forward = 12});
    model.to(f64);
    model.eval();
    const Tensor context = Tensor::from<std::int32_t>(std::span(ids).first(5), {1, 5});
    const Tensor last = Tensor::from<std::int32_t>(std::span(ids).last(1), {1});
    const auto log_probability = [&](const Tensor& presence) {
      const NoGrad nothing_recorded;
      return -cross_entropy(select(model(context, presence), 1, 4), last).item();
    };
    const Tensor whole = Tensor::ones({1, 5}, f64);
    CHECK(log_probability(whole) == doctest::Approx(-token_losses(model, ids).back()).epsilon(1e-12));
    const std::vector<double> found = context_attributions(model, ids);
    REQUIRE(found.size() == 5);
    for (std::size_t i = 0; i < 5; ++i)
      CHECK(found[i] == doctest::Approx(slope(log_probability, whole, 0, static_cast<std::int64_t>(i))).epsilon(1e-5));
    for (const Parameter* parameter : model.parameters()) CHECK_FALSE(parameter->grad().defined());
    CHECK(context_attributions(model, std::span(ids).first(2)).size() == 1);
    CHECK_THROWS_WITH_AS(context_attributions(model, std::span(ids).first(1)),
                         "[context_attributions] 1 tokens; one and another behind it are needed", ValueError);
    CHECK_THROWS_AS(context_attributions(model, std::vector<std::int32_t>{1, 7}), IndexError);
  }
}

TEST_CASE("a model in training mode isn't asked what it looks at") {
  DocumentClassifier classifier(small(SequenceEncoder::gru));
  CHECK_THROWS_WITH_AS(
      word_attributions(classifier, document, 0),
      "[word_attributions] the model is in training mode, in which what it says isn't what it will decide; call eval()",
      ValueError);
  LanguageModel model({.kind = LanguageModelKind::lstm, .vocabulary = 7, .width = 8});
  CHECK_THROWS_WITH_AS(context_attributions(model, std::vector<std::int32_t>{1, 2, 3}), doctest::Contains("call eval()"),
                       ValueError);
}
