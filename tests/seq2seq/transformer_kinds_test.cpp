#include <doctest/doctest.h>

#include "seq2seq/small_model.hpp"
#include "support/allocations.hpp"
#include "support/elements.hpp"
#include "support/random.hpp"
#include "weft/autograd/gradcheck.hpp"
#include "weft/autograd/tape.hpp"
#include "weft/base/error.hpp"
#include "weft/ops/softmax.hpp"
#include "weft/optim/adam.hpp"
#include "weft/seq2seq/beam_search.hpp"
#include "weft/seq2seq/ensemble.hpp"
#include "weft/seq2seq/forced_decoding.hpp"
#include "weft/seq2seq/sampling.hpp"

// The Transformer with every kind of positions, of mixing and of weights, and with fewer heads of keys.

using namespace weft;
using namespace weft::seq2seq;

namespace {

std::vector<TransformerOptions> kinds() {
  std::vector<TransformerOptions> result;
  const auto add = [&](const auto& change) {
    result.push_back(test::small_transformer_options());
    result.back().width = 8;
    change(result.back());
  };
  for (const auto positions : {Positions::learned, Positions::rotary, Positions::alibi, Positions::shaw, Positions::t5})
    add([&](auto& o) { o.positions = positions, o.kv_heads = 1, o.max_positions = 30; });
  for (const auto mixing : {nn::Mixing::light, nn::Mixing::dynamic, nn::Mixing::linear})
    add([&](auto& o) { o.mixing = mixing, o.kernel_size = 3; });
  for (const auto mixing : {nn::Mixing::gated, nn::Mixing::block_local, nn::Mixing::strided, nn::Mixing::window})
    add([&](auto& o) { o.mixing = mixing, o.reach = 2; });
  add([](auto& o) { o.normaliser = nn::Normaliser::sparsemax; });
  add([](auto& o) { o.normaliser = nn::Normaliser::entmax15, o.max_span = 3, o.span_weight = 0.1; });
  return result;
}

std::string name_of(const TransformerOptions& options) { return to_json(options); }

std::unique_ptr<Model> made(const TransformerOptions& options) {
  auto model = make_model(options, {.owner = nullptr, .name = {}, .seed = 5});
  model->to(f64);
  model->eval();
  for (nn::AdaptiveSpan* span : nn::adaptive_spans(*model)) span->span->mutable_value().fill(0.3);  // not at a kink
  return model;
}

}  // namespace

TEST_CASE("gradients of every parameter, whatever the positions and the mixing, under dropout") {
  const Batch batch = test::small_batch();
  for (auto options : kinds()) {
    options.dropout = 0.2;
    CAPTURE(name_of(options));
    const auto model = made(options);
    model->train();
    const auto report =
        gradcheck_parameters([&] { return model->loss(batch, 0.1); }, model->parameters(), {.elements = test::elements(8)});
    INFO(report.str());
    CHECK(report.ok());
  }
}

TEST_CASE("whatever the kind, a padded row gives what it gives alone") {
  for (const auto& options : kinds()) {
    CAPTURE(name_of(options));
    const auto model = made(options);
    const Tensor together = (*model)(test::small_batch()).value();
    for (std::size_t r = 0; r < test::small_target().size(); ++r) {
      const Tensor alone = (*model)(test::small_batch({test::small_source()[r]}, {test::small_target()[r]})).value();
      CHECK(test::largest_difference(alone.select(0, 0),
                                     together.select(0, static_cast<std::int64_t>(r)).slice(0, 0, alone.size(1))) <= 1e-12);
    }
  }
}

TEST_CASE("whatever the kind, steps give what teacher forcing gives, and a beam what the model says of it") {
  for (const auto& options : kinds()) {
    CAPTURE(name_of(options));
    const auto model = made(options);
    const Batch batch = test::small_batch();
    const Tensor whole = (*model)(batch).value();
    auto [memory, state] = model->encode(batch.source);
    for (std::int64_t t = 0; t < batch.target_in.size(1); ++t) {
      DecoderStep next = model->step(memory, state, batch.target_in.select(1, t), true);
      const Tensor logits = model->project(next.features).value();
      for (std::int64_t row = 0; row < logits.size(0); ++row)
        if (t < static_cast<std::int64_t>(batch.target_lengths.at({row})))
          CHECK(test::largest_difference(logits.select(0, row), whole.select(1, t).select(0, row)) <= 1e-12);
      CHECK(next.weights.shape() == Shape{3, 4});
      state = std::move(next.state);
    }
    // Cached search against log probabilities without a cache, several sentences at a time.
    const auto found = beam_search(*model, batch.source, {.beam = 3, .max_length = 6, .attention = true});
    for (std::size_t s = 0; s < found.size(); ++s) {
      CHECK(found[s].size() == 3);
      for (const Hypothesis& hypothesis : found[s]) {
        const bool ended = hypothesis.ids.size() < 6;
        const Batch alone = test::small_batch({test::small_source()[s]}, {hypothesis.ids});
        const Tensor scores = log_softmax((*model)(alone), -1).value();
        double expected = 0;
        for (std::size_t t = 0; t < hypothesis.ids.size() + (ended ? 1 : 0); ++t) {
          const auto place = static_cast<std::int64_t>(t);
          expected += scores.at({0, place, static_cast<std::int64_t>(alone.target_out.at({0, place}))});
        }
        CHECK(hypothesis.log_probability == doctest::Approx(expected).epsilon(1e-5));
      }
    }
  }
}

TEST_CASE("whatever the kind, a few steps of training lower the loss") {
  for (const auto& options : kinds()) {
    CAPTURE(name_of(options));
    const auto model = make_model(options, {.owner = nullptr, .name = {}, .seed = 5});
    optim::Adam optimizer(model->parameters(), {.lr = 0.02});
    const Batch batch = test::small_batch();
    const double before = model->loss(batch).item();
    for (int i = 0; i < 15; ++i) {
      Tape tape;
      tape.backward(model->loss(batch));
      optimizer.step();
    }
    CHECK(model->loss(batch).item() < 0.6 * before);
  }
}

TEST_CASE("whatever the kind, a training step in steady state allocates nothing of ours") {
  for (auto options : kinds()) {
    options.dropout = 0.1;
    CAPTURE(name_of(options));
    const auto model = make_model(options);
    optim::Adam optimizer(model->parameters());
    Generator generator(1);
    const Batch batch = test::small_batch();
    const auto step = [&] {
      Tape tape(generator);
      tape.backward(model->loss(batch, 0.1));
      optimizer.step();
    };
    const test::SteadyState asked = test::steady_state(step);
    CHECK(asked.pool_misses == 0);
    CHECK(asked.operator_new_calls == 0);
  }
}

TEST_CASE("spans are part of the loss in training mode, by their weight") {
  auto options = test::small_transformer_options();
  options.max_span = 10;
  options.span_weight = 0.5;
  const auto model = made(options);
  const Batch batch = test::small_batch();
  const double alone = model->loss(batch).item();
  model->train();
  // Four layers, whose heads see 3 places each.
  CHECK(model->loss(batch).item() == doctest::Approx(alone + 0.5 * 4 * 3).epsilon(1e-12));
}

TEST_CASE("a checkpoint's metadata say the kind, those of older ones the plain one") {
  const std::string plain = to_json(test::small_transformer_options());
  for (const char* key : {"positions", "mixing", "kernel_size", "reach", "kv_heads", "normaliser", "max_span", "span_weight"})
    CHECK(plain.find(key) == std::string::npos);
  for (const auto& options : kinds()) {
    const std::string json = to_json(options);
    CHECK(json != plain);
    const auto back = std::get<TransformerOptions>(model_options_of(json, "a file"));
    CHECK(to_json(back) == json);
    CHECK(back.positions == options.positions);
    CHECK(back.mixing == options.mixing);
    CHECK(back.kv_heads == options.kv_heads);
    CHECK(back.kernel_size == options.kernel_size);
    CHECK(back.reach == options.reach);
    CHECK(back.normaliser == options.normaliser);
    CHECK(back.max_span == options.max_span);
    CHECK(back.span_weight == options.span_weight);
    CHECK(back.max_positions == options.max_positions);
  }
  CHECK_THROWS_WITH_AS(parse_positions("cosine"), doctest::Contains("'cosine' is no kind of positions"), ValueError);
  CHECK_THROWS_WITH_AS(parse_mixing("deep"),
                       "[Translator] 'deep' is no mixing; attention, light, dynamic, linear, gated, block_local, strided, "
                       "window are",
                       ValueError);
}

TEST_CASE("kinds of Transformers that can't be are refused") {
  const auto refuse = [](const auto& change, const char* message) {
    auto options = test::small_transformer_options();
    options.width = 8;
    change(options);
    CHECK_THROWS_WITH_AS(Transformer{options}, doctest::Contains(message), ValueError);
  };
  refuse([](auto& o) { o.kv_heads = 3; }, "kv_heads is 3 and num_heads 2");
  refuse([](auto& o) { o.positions = Positions::rotary, o.width = 6; }, "rotary positions need an even size");
  refuse([](auto& o) { o.positions = Positions::learned, o.max_positions = 0; }, "max_positions is 0");
  refuse([](auto& o) { o.positions = Positions::t5, o.mixing = nn::Mixing::light; }, "positions of attention");
  refuse([](auto& o) { o.mixing = nn::Mixing::dynamic, o.kernel_size = 0; }, "kernel_size is 0");
  refuse([](auto& o) { o.mixing = nn::Mixing::window, o.reach = 0; }, "reach is 0");
  refuse([](auto& o) { o.mixing = nn::Mixing::linear, o.normaliser = nn::Normaliser::entmax15; }, "normaliser entmax15 is for");
  refuse([](auto& o) { o.mixing = nn::Mixing::gated, o.max_span = 4; }, "max_span 4 is for mixing attention");
  refuse([](auto& o) { o.max_span = 4, o.span_weight = -1; }, "[Transformer] span_weight is -1; it must be finite");
  auto options = test::small_transformer_options();
  options.positions = Positions::learned;
  options.max_positions = 3;
  Transformer model(options);
  CHECK_THROWS_WITH_AS(model.loss(test::small_batch()), doctest::Contains("[LearnedPositions]"), ShapeError);
}

TEST_CASE("searches end where learned positions do, which an ensemble with that model knows") {
  auto options = test::small_transformer_options();
  options.positions = Positions::learned;
  options.max_positions = 4;  // as many as the longest source has; a search's own limit would be 18
  Transformer learned(options), other(test::small_transformer_options());
  learned.eval();
  other.eval();
  Ensemble both({&other, &learned});
  const Padded source = test::small_batch().source;
  Batch longer = test::small_batch();
  longer.target_in = longer.target_out = Tensor::full({3, 5}, 4, i32);
  longer.target_lengths = Tensor::full({3}, 5, i64);
  for (Model* model : {static_cast<Model*>(&learned), static_cast<Model*>(&both)}) {
    CHECK(model->max_target_length() == 4);
    for (const auto& row : beam_search(*model, source, {.beam = 3}))
      for (const Hypothesis& hypothesis : row) CHECK(hypothesis.ids.size() <= 4);
    for (const auto& row : sample(*model, source, {.samples = 3}))
      for (const Hypothesis& hypothesis : row) CHECK(hypothesis.ids.size() <= 4);
    CHECK_THROWS_WITH_AS(beam_search(*model, source, {.max_length = 5}),
                         "[beam_search] max_length is 5; a target of this model has 4 tokens at most", ValueError);
    const std::vector<TokenIds> prefixes(3, TokenIds(5, 4));
    CHECK_THROWS_WITH_AS(beam_search(*model, source, {}, prefixes),
                         "[beam_search] prefix 0 has 5 tokens, more than the max_length of 4", ValueError);
    // Columns that no row has are no steps.
    Batch wide = longer, narrow = longer;
    wide.target_out = Tensor::from<std::int32_t>({4, 5, 6, 4, 5, 6, 5, 4, 6, 6, 4, 4, 5, 5, 4}, {3, 5});
    narrow.target_in = wide.target_in.slice(1, 0, 4).contiguous();
    narrow.target_out = wide.target_out.slice(1, 0, 4).contiguous();
    wide.target_lengths = narrow.target_lengths = Tensor::full({3}, 4, i64);
    const auto of_wide = forced_decoding(*model, wide), of_narrow = forced_decoding(*model, narrow);
    for (std::size_t row = 0; row < 3; ++row) CHECK(of_wide[row].log_probabilities == of_narrow[row].log_probabilities);
    CHECK_THROWS_WITH_AS(forced_decoding(*model, longer),
                         "[forced_decoding] targets i32[3, 5] have 5 steps; a target of this model has 4 at most", ValueError);
  }
}
