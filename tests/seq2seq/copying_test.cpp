// EncoderDecoder that copies: words of a row's source by extended ids.
#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include "seq2seq/rereading.hpp"
#include "support/elements.hpp"
#include "support/random.hpp"
#include "weft/autograd/gradcheck.hpp"
#include "weft/autograd/tape.hpp"
#include "weft/base/error.hpp"
#include "weft/optim/adam.hpp"
#include "weft/seq2seq/beam_search.hpp"
#include "weft/seq2seq/ensemble.hpp"
#include "weft/seq2seq/sampling.hpp"

using namespace weft;
using namespace weft::seq2seq;

namespace {

constexpr std::int64_t vocabulary = 7, extended = 9;

EncoderDecoderOptions copying_options(AttentionKind attention = AttentionKind::coverage) {
  return {.source_vocabulary = vocabulary,
          .target_vocabulary = vocabulary,
          .embedding = 4,
          .hidden = 6,
          .attention = attention,
          .copy = true};
}

// The first row has two words of its own (7 twice, and 8), the second none, the third one.
const std::vector<TokenIds>& sources() {
  static const std::vector<TokenIds> rows = {{7, 4, 8, 7}, {5, 6}, {4, 7, 4}};
  return rows;
}

const std::vector<TokenIds>& targets() {
  static const std::vector<TokenIds> rows = {{8, 5, 7}, {6}, {4, 7}};
  return rows;
}

Batch batch() { return test::small_batch(sources(), targets()); }

std::unique_ptr<EncoderDecoder> model_of(const EncoderDecoderOptions& options, std::uint64_t seed = 3) {
  auto model = std::make_unique<EncoderDecoder>(options, nn::Scope{.owner = nullptr, .name = {}, .seed = seed});
  model->to(f64);
  model->eval();
  return model;
}

constexpr double impossible = -std::numeric_limits<double>::infinity();

}  // namespace

TEST_CASE("gradients of models that copy are right") {
  std::vector<EncoderDecoderOptions> kinds = {copying_options(), copying_options(AttentionKind::general)};
  kinds[0].coverage_weight = 0.7;
  kinds[1].tie_output = kinds[1].share_embeddings = true;
  kinds[1].input_feeding = false;
  kinds.push_back(copying_options(AttentionKind::additive));
  kinds[2].encoder_layers = kinds[2].decoder_layers = 2;
  kinds[2].dropout = 0.2;
  kinds.push_back(copying_options(AttentionKind::dot));
  kinds[3].copy = false;  // coverage alone, with any attention
  kinds[3].coverage_weight = 0.7;
  for (const EncoderDecoderOptions& options : kinds) {
    EncoderDecoder model(options);
    model.to(f64);
    const Batch some = options.copy ? batch() : test::small_batch({{6, 4, 5}, {5}}, {{4, 4}, {5, 6, 4}});
    const auto report =
        gradcheck_parameters([&] { return model.loss(some); }, model.parameters(), {.elements = test::elements(40)});
    INFO(report.str());
    CHECK(report.ok());
    CHECK(report.elements > test::elements(200));
  }
}

TEST_CASE("a copying model's distribution is the mixture by plain loops, sums to one and has the loss") {
  const auto model = model_of(copying_options());
  // The same weights without copying give the vocabulary's part.
  auto plain_options = copying_options();
  plain_options.copy = false;
  const auto plain = model_of(plain_options);
  plain->load_state_dict(model->state_dict(), {.strict = false});
  std::vector<TokenIds> seen = sources(), fed = targets();
  for (auto* rows : {&seen, &fed})
    for (TokenIds& row : *rows)
      for (std::int32_t& id : row) id = id < vocabulary ? id : unknown_id;
  const Tensor logits = (*plain)(test::small_batch(seen, fed)).value();

  const Batch some = batch();
  const Tensor logs = (*model)(some).value();
  const EncoderDecoder::Copying how = model->copying(some);
  CHECK(logs.shape() == Shape{3, 4, extended});
  double loss = 0;
  for (std::int64_t r = 0; r < 3; ++r) {
    const auto tokens = static_cast<std::int64_t>(targets()[static_cast<std::size_t>(r)].size()) + 1;
    for (std::int64_t t = 0; t < tokens; ++t) {
      const double g = how.generate.at({r, t});
      double normaliser = 0, total = 0;
      for (std::int64_t v = 0; v < vocabulary; ++v) normaliser += std::exp(logits.at({r, t, v}));
      for (std::int64_t word = 0; word < extended; ++word) {
        double copied = 0;
        const TokenIds& source = sources()[static_cast<std::size_t>(r)];
        for (std::size_t i = 0; i < source.size(); ++i)
          if (source[i] == word) copied += (1 - g) * how.weights.at({r, t, static_cast<std::int64_t>(i)});
        const double expected = copied + (word < vocabulary ? g * std::exp(logits.at({r, t, word})) / normaliser : 0);
        CHECK(std::exp(logs.at({r, t, word})) == doctest::Approx(expected).epsilon(1e-10));
        total += std::exp(logs.at({r, t, word}));
        if (static_cast<double>(word) != some.target_out.at({r, t})) continue;
        loss -= logs.at({r, t, word});
        CHECK(how.copied.at({r, t}) == doctest::Approx(copied / expected).epsilon(1e-10));
      }
      CHECK(total == doctest::Approx(1).epsilon(1e-12));
    }
    for (std::int64_t t = tokens; t < 4; ++t) {
      CHECK(logs.at({r, t, 0}) == 0);
      CHECK(how.generate.at({r, t}) == 0);
      CHECK(how.copied.at({r, t}) == 0);
    }
  }
  CHECK(logs.at({1, 0, 7}) == impossible);  // the second row has no words of its own
  CHECK(logs.at({2, 0, 8}) == impossible);
  CHECK(model->loss(some).item() == doctest::Approx(loss / 9).epsilon(1e-12));
}

TEST_CASE("the coverage loss belongs to training") {
  auto options = copying_options();
  const double without = model_of(options)->loss(batch()).item();
  options.coverage_weight = 2;
  const auto model = model_of(options);
  CHECK(model->loss(batch()).item() == without);
  model->train();
  const Tensor weights = model->copying(batch()).weights;
  double covered = 0;
  for (std::int64_t r = 0; r < 3; ++r)
    for (std::int64_t i = 0; i < 4; ++i)
      for (std::int64_t t = 0, tokens = r == 0 ? 4 : r == 1 ? 2 : 3; t < tokens; ++t) {
        double before = 0;
        for (std::int64_t earlier = 0; earlier < t; ++earlier) before += weights.at({r, earlier, i});
        covered += std::min(before, weights.at({r, t, i}));
      }
  CHECK(model->loss(batch()).item() == doctest::Approx(without + 2 * covered / 9).epsilon(1e-12));
}

TEST_CASE("a padded row of a copying model gives what it gives alone") {
  const auto model = model_of(copying_options());
  const Tensor together = (*model)(batch()).value();
  for (std::size_t r = 0; r < 3; ++r) {
    const Tensor alone = (*model)(test::small_batch({sources()[r]}, {targets()[r]})).value();
    const std::int64_t width = alone.size(2), row = static_cast<std::int64_t>(r);
    CHECK(width == (r == 0 ? 9 : r == 1 ? 7 : 8));
    for (std::int64_t t = 0; t < alone.size(1); ++t)
      for (std::int64_t word = 0; word < extended; ++word) {
        const double expected = word < width ? alone.at({0, t, word}) : impossible;
        const double got = together.at({row, t, word});
        CHECK((got == expected || std::abs(got - expected) <= 1e-12));
      }
  }
}

TEST_CASE("steps of a copying model, several rows a sentence, give what reading all at once gives") {
  for (const AttentionKind kind : {AttentionKind::coverage, AttentionKind::general, AttentionKind::location}) {
    const auto model = model_of(copying_options(kind));
    const Tensor whole = (*model)(batch()).value();
    auto [memory, state] = model->encode(pad(test::pointers(sources())));
    state = state.select(Tensor::from<std::int64_t>({0, 0, 1, 1, 2, 2}, {6}));
    for (std::int64_t t = 0; t < 4; ++t) {
      Tensor tokens = Tensor::zeros({6}, i32);
      for (std::int64_t row = 0; row < 6; ++row) {
        const TokenIds& target = targets()[static_cast<std::size_t>(row / 2)];
        const auto place = static_cast<std::size_t>(t);
        tokens.mutable_data<std::int32_t>()[row] = t == 0                   ? begin_id
                                                   : place <= target.size() ? target[place - 1]
                                                                            : std::int32_t{4};
      }
      DecoderStep step = model->step(memory, state, tokens, true);
      const Tensor logs = model->project(step.features).value();
      for (std::int64_t row = 0; row < 6; ++row) {
        if (static_cast<std::size_t>(t) > targets()[static_cast<std::size_t>(row / 2)].size()) continue;
        for (std::int64_t word = 0; word < extended; ++word) {
          const double expected = whole.at({row / 2, t, word}), got = logs.at({row, word});
          CHECK((got == expected || std::abs(got - expected) <= 1e-12));
        }
      }
      state = step.state;
    }
  }
}

TEST_CASE("beams, samples and ensembles of copying models have the probabilities that reading anew gives") {
  const auto first = model_of(copying_options(), 3), second = model_of(copying_options(AttentionKind::general), 4);
  Ensemble both({first.get(), second.get()});
  const Padded padded = pad(test::pointers(sources()));
  for (Model* model : {static_cast<Model*>(first.get()), static_cast<Model*>(&both)}) {
    bool copied = false;
    const auto found = beam_search(*model, padded, {.beam = 5, .max_length = 4, .no_repeat_ngram = 2});
    const auto drawn = sample(*model, padded, {.samples = 20, .max_length = 4});
    for (std::size_t r = 0; r < sources().size(); ++r) {
      test::Rereading reading(*model, sources()[r]);
      for (const auto* hypotheses : {&found[r], &drawn[r]})
        for (const Hypothesis& each : *hypotheses) {
          const bool ended = each.ids.size() < 4;
          CHECK(each.log_probability == doctest::Approx(reading.log_probability(each.ids, ended)).epsilon(1e-5));
          for (const std::int32_t id : each.ids) {
            copied = copied || id >= vocabulary;
            CHECK((id < vocabulary || std::find(sources()[r].begin(), sources()[r].end(), id) != sources()[r].end()));
          }
        }
    }
    CHECK(copied);
  }
}

TEST_CASE("a few steps of training teach a model to copy") {
  auto options = copying_options();
  options.hidden = 16;
  options.embedding = 8;
  EncoderDecoder model(options);
  optim::Adam optimizer(model.parameters(), {.lr = 0.03});
  // The word behind 4 is to be said, whatever it is.
  Generator generator(1);
  std::vector<TokenIds> from, to;
  for (int row = 0; row < 60; ++row) {
    TokenIds source;
    for (std::uint64_t left = 3 + generator.below(4); left > 0; --left)
      source.push_back(5 + static_cast<std::int32_t>(generator.below(5)));
    const auto place = static_cast<std::size_t>(generator.below(source.size() - 1));
    source[place] = 4;
    to.push_back({source[place + 1]});
    from.push_back(std::move(source));
  }
  for (int step = 0; step < 120; ++step) {
    Tape tape;
    tape.backward(model.loss(test::small_batch(from, to)));
    optimizer.step();
  }
  model.eval();
  const std::vector<TokenIds> unseen = {{5, 6, 4, 7, 8}, {7, 8, 5, 4, 9}, {7, 8, 9, 4, 10, 6}};
  const auto said = beam_search(model, pad(test::pointers(unseen)), {.beam = 2});
  CHECK(said[0][0].ids == TokenIds{7});
  CHECK(said[1][0].ids == TokenIds{9});
  CHECK(said[2][0].ids == TokenIds{10});
}

TEST_CASE("what doesn't go with copying is refused") {
  auto options = copying_options();
  options.source_vocabulary = 8;
  CHECK_THROWS_WITH_AS(EncoderDecoder{options}, "[EncoderDecoder] copy needs one vocabulary, not 8 and 7 tokens", ValueError);
  options = copying_options(AttentionKind::none);
  CHECK_THROWS_WITH_AS(EncoderDecoder{options}, "[EncoderDecoder] copy and coverage_weight need attention, which is none",
                       ValueError);
  options.copy = false;
  options.coverage_weight = 1;
  CHECK_THROWS_AS(EncoderDecoder{options}, ValueError);
  for (const AttentionKind kind : {AttentionKind::local_m, AttentionKind::local_p})
    CHECK_THROWS_WITH_AS(EncoderDecoder{copying_options(kind)},
                         ("[EncoderDecoder] copy needs an attention that sees every place, not " + name_of(kind) +
                          ": a word of the source alone outside of its window can't be learned")
                             .c_str(),
                         ValueError);
  options = copying_options();
  options.coverage_weight = -1;
  CHECK_THROWS_WITH_AS(EncoderDecoder{options}, "[EncoderDecoder] coverage_weight is -1; it must be finite and not negative",
                       ValueError);
  EncoderDecoder model(copying_options());
  CHECK_THROWS_WITH_AS(model.loss(batch(), 0.1), doctest::Contains("label_smoothing is 0.1; a model that copies has none"),
                       ValueError);
  const Batch beyond = test::small_batch({{4, 10}}, {{4}});
  CHECK_THROWS_WITH_AS(model.loss(beyond),
                       doctest::Contains("source ids i32[1, 2]: 10 is too large, a row of 2 places numbers "
                                         "its further words from 7 to 8 at most"),
                       IndexError);
  CHECK_THROWS_AS(beam_search(model, beyond.source), IndexError);
  // Neither in the vocabulary nor in the sources of the batch.
  CHECK_THROWS_AS(model.loss(test::small_batch({{4, 7}}, {{8}})), IndexError);
  CHECK_THROWS_AS(model.loss(test::small_batch({{4, -1}}, {{4}})), IndexError);
  EncoderDecoder plain(test::small_options());
  CHECK_THROWS_WITH_AS(plain.copying(test::small_batch()),
                       doctest::Contains("there is no copying in a model without it (options.copy)"), ValueError);
}
