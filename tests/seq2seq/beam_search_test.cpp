#include "weft/seq2seq/beam_search.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <cmath>
#include <map>

#include "seq2seq/small_model.hpp"
#include "weft/autograd/tape.hpp"
#include "weft/base/error.hpp"
#include "weft/nn/linear.hpp"
#include "weft/ops/elementwise.hpp"
#include "weft/ops/embedding.hpp"
#include "weft/ops/reduce.hpp"
#include "weft/ops/shape.hpp"
#include "weft/ops/softmax.hpp"
#include "weft/seq2seq/forced_decoding.hpp"
#include "weft/seq2seq/sampling.hpp"
#include "weft/tensor/memory.hpp"

using namespace weft;
using namespace weft::seq2seq;

namespace {

// log P(target, end | source) by teacher forcing.
double log_probability(Model& model, const TokenIds& source, const TokenIds& target, bool ended) {
  const std::vector<const TokenIds*> sources = {&source}, targets = {&target};
  const Batch batch = make_batch(sources, targets);
  const Tensor scores = log_softmax(model(batch), -1).value();
  double sum = 0;
  const auto steps = static_cast<std::int64_t>(target.size()) + (ended ? 1 : 0);
  for (std::int64_t t = 0; t < steps; ++t) sum += scores.at({0, t, static_cast<std::int64_t>(batch.target_out.at({0, t}))});
  return sum;
}

// The best of all targets of at most `longest` tokens, by log probability / length, as the search counts length.
std::pair<TokenIds, double> exhaustive(Model& model, const TokenIds& source, std::size_t longest) {
  std::pair<TokenIds, double> best{{}, -1e300};
  std::vector<TokenIds> level = {{}};
  for (std::size_t length = 0; length <= longest; ++length) {
    std::vector<TokenIds> next;
    for (const TokenIds& target : level) {
      const bool cut = length == longest;
      const double divisor = static_cast<double>(cut ? length : length + 1);
      const double score = log_probability(model, source, target, !cut) / divisor;
      if (score > best.second) best = {target, score};
      for (const std::int32_t token : {1, 4, 5, 6}) {
        next.push_back(target);
        next.back().push_back(token);
      }
    }
    level = std::move(next);
  }
  return best;
}

// What follows a token depends on that token alone: next[token] is the probability of each.
class Chain : public Model {
 public:
  using Next = std::map<std::int32_t, std::map<std::int32_t, double>>;
  explicit Chain(const Next& next) : Model({}), table_(Tensor::full({target_vocabulary(), target_vocabulary()}, -1e9, f64)) {
    for (const auto& [token, row] : next)
      for (const auto& [follower, probability] : row)
        table_.mutable_data<double>()[token * target_vocabulary() + follower] = std::log(probability);
    eval();
  }
  Encoded encode(const Padded& source) override {
    return {{{Tensor::zeros({source.cells().size(0), 1})}, source.lengths}, {{Tensor::zeros({source.cells().size(0), 1})}}};
  }
  DecoderStep step(const DecoderMemory& /*memory*/, const DecoderState& state, const Tensor& tokens,
                   bool /*attention*/) override {
    return {state, embedding(table_, tokens), {}};
  }
  Var project(const Var& features) override { return features; }
  std::int64_t target_vocabulary() const override { return 7; }
  bool attends() const override { return false; }

 protected:
  Reading read(const Batch& batch) override { return at_tokens(embedding(table_, batch.target_in), batch); }

 private:
  Tensor table_;
};

// One that looks at all of the source alike.
class Looking : public Chain {
 public:
  using Chain::Chain;
  Encoded encode(const Padded& source) override {
    Encoded encoded = Chain::encode(source);
    encoded.memory.values = {Tensor::zeros(source.ids.shape())};
    return encoded;
  }
  DecoderStep step(const DecoderMemory& memory, const DecoderState& state, const Tensor& tokens, bool attention) override {
    DecoderStep next = Chain::step(memory, state, tokens, attention);
    const std::int64_t places = memory.values[0].size(1);
    next.weights = Tensor::full({tokens.size(0), places}, 1.0 / static_cast<double>(places));
    return next;
  }
  bool attends() const override { return true; }
};

// One of a beginner's, which forgets that a search asks for several rows, or has fewer words than it says, or none.
class Careless : public Looking {
 public:
  struct Mistakes {
    std::int64_t rows = 0, words = 0, weights = 0, vocabulary = 7, states = 0;
    bool features = true;
  };
  explicit Careless(const Mistakes& mistakes) : Looking(Next{}), mistakes_(mistakes) {}
  DecoderStep step(const DecoderMemory& memory, const DecoderState& state, const Tensor& tokens, bool attention) override {
    DecoderStep next = Looking::step(memory, state, tokens, attention);
    if (mistakes_.rows > 0) next.features = slice(next.features, 0, 0, mistakes_.rows);
    if (mistakes_.words > 0) next.features = slice(next.features, 1, 0, mistakes_.words);
    if (mistakes_.weights > 0) next.weights = slice(next.weights, 0, 0, mistakes_.weights);
    if (mistakes_.weights < 0) next.weights = {};
    if (mistakes_.states > 0) next.state.values = {Tensor::zeros({mistakes_.states, 1})};
    if (!mistakes_.features) next.features = {};
    return next;
  }
  std::int64_t target_vocabulary() const override { return mistakes_.vocabulary; }

 private:
  Mistakes mistakes_;
};

// A Transformer and an LSTM with each attention.
std::vector<std::unique_ptr<Model>> models() {
  std::vector<ModelOptions> all{test::small_transformer_options()};
  for (const EncoderDecoderOptions& options : test::each_attention()) all.emplace_back(options);
  std::vector<std::unique_ptr<Model>> made;
  for (const ModelOptions& options : all) {
    made.push_back(make_model(options, {.owner = nullptr, .name = {}, .seed = 5}));
    made.back()->to(f64);
    made.back()->eval();
  }
  return made;
}

std::string name_of_model(const Model& model) {
  const auto* lstm = dynamic_cast<const EncoderDecoder*>(&model);
  return lstm != nullptr ? name_of(lstm->options().attention) : model.type_name();
}

}  // namespace

TEST_CASE("scores are those of teacher forcing") {
  for (const auto& model : models()) {
    CAPTURE(name_of_model(*model));
    for (const auto& sentence : test::small_source()) {
      const std::vector<const TokenIds*> rows = {&sentence};
      const auto found = beam_search(*model, pad(rows), {.beam = 4, .max_length = 6})[0];
      for (const Hypothesis& hypothesis : found) {
        const bool ended = hypothesis.ids.size() < 6;
        const double expected = log_probability(*model, sentence, hypothesis.ids, ended);
        CHECK(hypothesis.log_probability == doctest::Approx(expected).epsilon(1e-5));
        const auto length = static_cast<double>(hypothesis.ids.size() + (ended ? 1 : 0));
        CHECK(hypothesis.score == doctest::Approx(expected / length).epsilon(1e-5));
      }
    }
  }
}

TEST_CASE("greedy search takes the best token at each step") {
  for (const auto& model : models()) {
    CAPTURE(name_of_model(*model));
    const auto& sentence = test::small_source()[0];
    const std::vector<const TokenIds*> rows = {&sentence};
    const auto found = beam_search(*model, pad(rows), {.beam = 1, .max_length = 5})[0].front().ids;
    TokenIds greedy;
    for (int t = 0; t < 5; ++t) {
      const std::vector<const TokenIds*> targets = {&greedy};
      const Tensor scores = log_softmax((*model)(make_batch(rows, targets)), -1).value();
      std::int32_t best = unknown_id;
      for (const std::int32_t token : {1, 3, 4, 5, 6})
        if (scores.at({0, t, token}) > scores.at({0, t, best})) best = token;
      if (best == end_id) break;
      greedy.push_back(best);
    }
    CHECK(found == greedy);
  }
}

TEST_CASE("a beam as wide as the vocabulary finds the best of short targets") {
  for (const auto& model : models()) {
    CAPTURE(name_of_model(*model));
    for (const auto& sentence : test::small_source()) {
      const std::vector<const TokenIds*> rows = {&sentence};
      // Two tokens at most: after the first step every continuation is in the beam.
      const auto found = beam_search(*model, pad(rows), {.beam = 7, .max_length = 2})[0].front();
      const auto [ids, score] = exhaustive(*model, sentence, 2);
      CHECK(found.ids == ids);
      CHECK(found.score == doctest::Approx(score).epsilon(1e-5));
    }
  }
}

TEST_CASE("short hypotheses that end early don't keep a longer and better one from its end") {
  // 4 5 6 and the end by 0.9 each; the end is the second choice everywhere.
  Chain model({{begin_id, {{4, 0.9}, {end_id, 0.07}, {5, 0.03}}},
               {4, {{5, 0.9}, {end_id, 0.07}, {6, 0.03}}},
               {5, {{6, 0.9}, {end_id, 0.07}, {4, 0.03}}},
               {6, {{end_id, 0.9}, {4, 0.07}, {5, 0.03}}}});
  const TokenIds sentence = {4};
  const std::vector<const TokenIds*> rows = {&sentence};
  for (const std::int64_t beam : {1, 2, 3, 5}) {
    CAPTURE(beam);
    const auto found = beam_search(model, pad(rows), {.beam = beam})[0];
    CHECK(found.size() == static_cast<std::size_t>(beam));
    CHECK(found.front().ids == TokenIds{4, 5, 6});
    CHECK(found.front().score == doctest::Approx(std::log(0.9)));
  }
  // By log probability alone, to end at once (0.07) is the second best.
  const auto found = beam_search(model, pad(rows), {.beam = 2, .length_penalty = 0})[0];
  CHECK(found[0].ids == TokenIds{4, 5, 6});
  CHECK(found[1].ids == TokenIds{});
}

TEST_CASE("what has ended and can't be a result any more leaves no attention behind") {
  // One ends at each step, and the longest is always the best.
  Looking model({{begin_id, {{4, 0.6}, {end_id, 0.4}}}, {4, {{4, 0.6}, {end_id, 0.4}}}});
  const TokenIds sentence(50, 4);
  const std::vector<const TokenIds*> rows = {&sentence};
  const Padded source = pad(rows);
  for (const double coverage_penalty : {0.0, 0.1}) {
    const std::int64_t before = memory_statistics().total.current;
    reset_peak_memory();
    const auto found = beam_search(
        model, source,
        {.beam = 2, .length_penalty = 3, .max_length = 200, .attention = true, .coverage_penalty = coverage_penalty})[0];
    REQUIRE(found.size() == 2);
    CHECK(found[0].ids.size() == 199);
    CHECK(found[1].ids.size() == 198);
    CHECK(found[0].attention.shape() == Shape{200, 50});
    // Each step's weights, 80 kB, and a few hypotheses of 40 kB; all that ended would be 4 MB.
    CHECK(memory_statistics().total.peak - before < 1000000);
  }
}

TEST_CASE("a batch gives what its sentences give alone") {
  for (const auto& model : models()) {
    CAPTURE(name_of_model(*model));
    const auto together =
        beam_search(*model, pad(test::pointers(test::small_source())), {.beam = 3, .attention = model->attends()});
    for (std::size_t r = 0; r < test::small_source().size(); ++r) {
      const std::vector<const TokenIds*> rows = {&test::small_source()[r]};
      const auto alone = beam_search(*model, pad(rows), {.beam = 3, .attention = model->attends()})[0];
      REQUIRE(together[r].size() == alone.size());
      for (std::size_t i = 0; i < alone.size(); ++i) {
        CHECK(together[r][i].ids == alone[i].ids);
        CHECK(together[r][i].score == doctest::Approx(alone[i].score).epsilon(1e-5));
        if (model->attends()) CHECK(together[r][i].attention.shape() == alone[i].attention.shape());
      }
    }
  }
}

TEST_CASE("attention rows add up to 1 over the source") {
  for (const auto& model : models()) {
    CAPTURE(name_of_model(*model));
    const auto& sentence = test::small_source()[1];
    const std::vector<const TokenIds*> rows = {&sentence};
    if (!model->attends()) {
      CHECK_THROWS_WITH_AS(
          beam_search(*model, pad(rows), {.beam = 2, .attention = true}),
          "[beam_search] attention weights or a coverage penalty are asked for, and the model has no attention", ValueError);
      continue;
    }
    const Hypothesis best = beam_search(*model, pad(rows), {.beam = 2, .attention = true})[0].front();
    CHECK(best.attention.size(1) == 2);
    for (std::int64_t t = 0; t < best.attention.size(0); ++t) {
      const double sum = best.attention.at({t, 0}) + best.attention.at({t, 1});
      if (name_of_model(*model) == "local-p") {  // its Gaussian takes some away
        CHECK(sum > 0);
        CHECK(sum < 1);
      } else {
        CHECK(sum == doctest::Approx(1));
      }
    }
  }
}

TEST_CASE("impossible searches are refused") {
  for (const auto& model : models()) {
    CAPTURE(name_of_model(*model));
    const auto rows = test::pointers(test::small_source());
    CHECK_THROWS_WITH_AS(beam_search(*model, pad(rows), {.beam = 0}), "[beam_search] a beam of 0; 1 or more is possible",
                         ValueError);
    CHECK_THROWS_AS(beam_search(*model, pad(rows), {.max_length = -1}), ValueError);
    CHECK_THROWS_WITH_AS(beam_search(*model, Padded{}), "[beam_search] the source has no ids and no features", ValueError);
  }
}

TEST_CASE("a model whose steps don't fit is refused, whatever searches") {
  const Padded source = pad(test::pointers(test::small_source()));
  // {} in a message: 12 rows of a search, 3 of targets that are given.
  const auto refuse = [&](const Careless::Mistakes& mistakes, const char* message) {
    Careless model(mistakes);
    const std::string searched = fmt::format(fmt::runtime(message), 12), forced = fmt::format(fmt::runtime(message), 3);
    CHECK_THROWS_WITH_AS(beam_search(model, source, {.beam = 4, .attention = true}), doctest::Contains(searched.c_str()),
                         Error);
    CHECK_THROWS_WITH_AS(sample(model, source, {.samples = 4, .attention = true}), doctest::Contains(searched.c_str()), Error);
    if (mistakes.vocabulary == 7)
      CHECK_THROWS_WITH_AS(forced_decoding(model, test::small_batch()), doctest::Contains(forced.c_str()), Error);
  };
  refuse({.rows = 1}, "the model's logits f64[1, 7] of a step must be [{}, 7]");
  refuse({.words = 5}, "5] of a step must be [{}, 7], a row for each token");
  refuse({.weights = 1}, "of a step must be [{}, 4 or more]");
  refuse({.weights = -1}, "the model attends, and a step gave no weights");
  refuse({.states = 14}, "value 0 of a step's state, f32[14, 1], must have {} rows");
  refuse({.features = false}, "a step of the model gave no features");
  refuse({.vocabulary = 3}, "a target vocabulary of 3 tokens; the first 4 stand for");
}

TEST_CASE("weights reach as far as the sources that are still decoded") {
  class Trimming : public Looking {
   public:
    using Looking::Looking;
    DecoderStep step(const DecoderMemory& memory, const DecoderState& state, const Tensor& tokens, bool attention) override {
      DecoderStep next = Looking::step(memory, state, tokens, attention);
      next.weights = slice(next.weights, 1, 0, static_cast<std::int64_t>(max(Var(memory.lengths)).item()));
      return next;
    }
  };
  Trimming model({{begin_id, {{end_id, 0.9}, {4, 0.1}}}, {4, {{end_id, 0.9}, {4, 0.1}}}});
  const std::vector<TokenIds> rows = {{4, 5, 6, 7}, {8, 4}}, prefixes = {{}, {4, 4, 4}};  // the long one ends first
  const auto found = beam_search(model, pad(test::pointers(rows)), {.beam = 1, .attention = true}, prefixes);
  CHECK(found[0][0].attention.shape() == Shape{1, 4});
  CHECK(found[1][0].attention.shape() == Shape{4, 2});
}

TEST_CASE("features that stand step by row, or of another batch, are refused by the loss") {
  class Turned : public Chain {
   public:
    Turned() : Chain(Next{}) {}

   protected:
    Reading read(const Batch& batch) override {
      return at_tokens(Tensor::zeros({batch.target_in.size(1), batch.target_in.size(0), 7}), batch);
    }
  };
  Turned model;
  CHECK_THROWS_WITH_AS(model.loss(test::small_batch({{4, 5}, {8, 4}}, {{4, 5, 6}, {4}})),
                       "[Model] features f32[4, 2, 7] don't fit targets i32[2, 4]: [rows, steps, any] is needed, as stack(of "
                       "each step, 1) makes them",
                       ShapeError);
}

TEST_CASE("a member that a model has lost is noticed in its loss") {
  class Forgetful : public Chain {
   public:
    Forgetful() : Chain(Next{}), forgotten({.in_features = 7, .out_features = 7}) { train(); }
    nn::Linear forgotten;

   protected:
    Reading read(const Batch& batch) override {
      return at_tokens(forgotten(Tensor::zeros(batch.target_in.shape().with_inserted(2, 7))), batch);
    }
  };
  Forgetful model;
  Tape tape;
  CHECK_THROWS_WITH_AS(model.loss(test::small_batch()), doctest::Contains("Linear is called by"), ValueError);
  model.forgotten.eval();  // meant to stand apart
  CHECK_NOTHROW(model.loss(test::small_batch()));
}

TEST_CASE("a group that must say what others said says it, however strong its wish for another") {
  const auto all = models();
  const std::vector<TokenIds> prefixes(3, TokenIds{4});
  const auto found = beam_search(*all[0], pad(test::pointers(test::small_source())),
                                 {.beam = 4, .max_length = 3, .diverse_groups = 4, .diversity_strength = 1e308}, prefixes);
  for (const auto& hypotheses : found)
    for (const Hypothesis& hypothesis : hypotheses) CHECK(hypothesis.ids.at(0) == 4);
}
