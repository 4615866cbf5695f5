#include "weft/seq2seq/ensemble.hpp"

#include <doctest/doctest.h>

#include <cmath>

#include "seq2seq/rereading.hpp"
#include "weft/autograd/tape.hpp"
#include "weft/base/error.hpp"
#include "weft/seq2seq/beam_search.hpp"
#include "weft/seq2seq/sampling.hpp"

using namespace weft;
using namespace weft::seq2seq;

namespace {

// Two of each kind.
std::vector<std::unique_ptr<Model>> different_models() {
  auto made = test::small_models(5);
  for (auto& more : test::small_models(6)) made.push_back(std::move(more));
  return made;
}

std::vector<Model*> pointers(const std::vector<std::unique_ptr<Model>>& models) {
  std::vector<Model*> result;
  for (const auto& model : models) result.push_back(model.get());
  return result;
}

void check_same(const std::vector<std::vector<Hypothesis>>& a, const std::vector<std::vector<Hypothesis>>& b) {
  REQUIRE(a.size() == b.size());
  for (std::size_t r = 0; r < a.size(); ++r) {
    REQUIRE(a[r].size() == b[r].size());
    for (std::size_t i = 0; i < a[r].size(); ++i) {
      CHECK(a[r][i].ids == b[r][i].ids);
      CHECK(a[r][i].score == doctest::Approx(b[r][i].score).epsilon(1e-5));
      if (!a[r][i].attention.defined()) continue;
      REQUIRE(a[r][i].attention.shape() == b[r][i].attention.shape());
      for (std::int64_t t = 0; t < a[r][i].attention.size(0); ++t)
        for (std::int64_t s = 0; s < a[r][i].attention.size(1); ++s)
          CHECK(a[r][i].attention.at({t, s}) == doctest::Approx(b[r][i].attention.at({t, s})));
    }
  }
}

}  // namespace

TEST_CASE("an ensemble of one model, once or twice, is the model") {
  const Padded source = pad(test::pointers(test::small_source()));
  for (const auto& model : test::small_models())
    for (const std::size_t times : {std::size_t{1}, std::size_t{2}, std::size_t{3}}) {
      CAPTURE(model->type_name());
      CAPTURE(times);
      Ensemble ensemble(std::vector<Model*>(times, model.get()));
      const BeamSearchOptions search{.beam = 4, .attention = true, .coverage_penalty = 0.3, .diverse_groups = 2};
      check_same(beam_search(ensemble, source, search), beam_search(*model, source, search));
      check_same(sample(ensemble, source, {.samples = 3}), sample(*model, source, {.samples = 3}));
      CHECK(ensemble.loss(test::small_batch(), 0.1).item() == doctest::Approx(model->loss(test::small_batch(), 0.1).item()));
    }
}

TEST_CASE("an ensemble's probabilities are the mean of its models', step by step and all at once") {
  const auto models = different_models();
  Ensemble ensemble(pointers(models));
  for (const TokenIds& source : test::small_source()) {
    test::Rereading together(ensemble, source);
    std::vector<test::Rereading> alone;
    for (const auto& model : models) alone.emplace_back(*model, source);
    for (const TokenIds& target : test::small_target())
      for (std::size_t token = 0; token < 7; ++token) {
        double sum = 0;
        for (auto& reading : alone) sum += std::exp(reading.next(target)[token]);
        CHECK(together.next(target)[token] ==
              doctest::Approx(std::log(sum / static_cast<double>(models.size()))).epsilon(1e-12));
      }
    const std::vector<const TokenIds*> rows = {&source};
    const auto all = beam_search(ensemble, pad(rows), {.beam = 5, .max_length = 6})[0];
    for (const Hypothesis& found : all) {
      const double expected = together.log_probability(found.ids, found.ids.size() < 6);
      CHECK(found.log_probability == doctest::Approx(expected).epsilon(1e-5));
    }
  }
}

TEST_CASE("a step's logits are log probabilities already") {
  const auto models = test::small_models();
  Ensemble ensemble({models[0].get(), models[1].get()});
  auto [memory, state] = ensemble.encode(pad(test::pointers(test::small_source())));
  const Tensor tokens = Tensor::from<std::int32_t>({begin_id, begin_id, begin_id}, {3});
  const DecoderStep step = ensemble.step(memory, state, tokens, false);
  CHECK_FALSE(step.weights.defined());
  const Tensor scores = ensemble.project(step.features).value();
  CHECK(scores.shape() == Shape{3, 7});
  for (std::int64_t row = 0; row < 3; ++row) {
    double sum = 0;
    for (std::int64_t token = 0; token < 7; ++token) sum += std::exp(scores.at({row, token}));
    CHECK(sum == doctest::Approx(1).epsilon(1e-12));
  }
}

TEST_CASE("a batch of an ensemble gives what its sentences give alone") {
  const auto models = test::small_models();
  Ensemble ensemble({models[0].get(), models[1].get()});
  const BeamSearchOptions options{.beam = 3, .attention = true};
  const auto together = beam_search(ensemble, pad(test::pointers(test::small_source())), options);
  for (std::size_t r = 0; r < together.size(); ++r) {
    const std::vector<const TokenIds*> rows = {&test::small_source()[r]};
    check_same({together[r]}, beam_search(ensemble, pad(rows), options));
  }
}

TEST_CASE("models of an ensemble in training mode are read under a tape as they are alone") {
  const auto models = test::small_models();
  for (const auto& model : models) model->train();
  Ensemble ensemble({models[0].get(), models[1].get()});
  Tape tape;
  CHECK(ensemble(test::small_batch()).size(-1) == 7);
}

TEST_CASE("models that don't go together are refused") {
  const auto models = test::small_models();
  auto options = test::small_options();
  options.target_vocabulary = 8;
  const auto other = make_model(options);
  CHECK_THROWS_WITH_AS(Ensemble({}), "[Ensemble] no models; one at least is needed", ValueError);
  CHECK_THROWS_WITH_AS(Ensemble({models[0].get(), nullptr}), "[Ensemble] model 1 is none", ValueError);
  CHECK_THROWS_WITH_AS(Ensemble({models[0].get(), models[1].get(), other.get()}),
                       "[Ensemble] model 2 has a target vocabulary of 8 tokens, model 0 one of 7; they must have the same",
                       ValueError);
  Ensemble inner({models[0].get()});
  CHECK_THROWS_WITH_AS(Ensemble({models[0].get(), &inner}),
                       "[Ensemble] model 1 is an ensemble itself; give its models one by one", ValueError);
  options = test::small_options();
  options.source_vocabulary = options.target_vocabulary = 7;
  const auto plain = make_model(options);
  options.copy = true;
  const auto copying = make_model(options);
  CHECK_THROWS_WITH_AS(Ensemble({plain.get(), copying.get()}),
                       "[Ensemble] model 1 copies words of the source, model 0 doesn't: their distributions are of different "
                       "words",
                       ValueError);
  CHECK_THROWS_WITH_AS(Ensemble({copying.get(), plain.get()}),
                       "[Ensemble] model 1 doesn't copy words of the source, model 0 does: their distributions are of "
                       "different words",
                       ValueError);
  CHECK(Ensemble({copying.get(), copying.get()}).copies());
  Ensemble ensemble({models[0].get(), models[1].get()});
  const Model::Encoded one = models[0]->encode(pad(test::pointers(test::small_source())));
  const Tensor tokens = Tensor::from<std::int32_t>({begin_id, begin_id, begin_id}, {3});
  CHECK_THROWS_WITH_AS(ensemble.step(one.memory, one.state, tokens, false),
                       "[Ensemble] memory and state are of 0 and 0 models, not of 2", ValueError);
}
