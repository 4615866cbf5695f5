#include "weft/seq2seq/encoder_decoder.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <memory>

#include "seq2seq/small_model.hpp"
#include "support/elements.hpp"
#include "support/random.hpp"
#include "weft/autograd/gradcheck.hpp"
#include "weft/autograd/tape.hpp"
#include "weft/base/error.hpp"
#include "weft/ops/comparison.hpp"
#include "weft/ops/elementwise.hpp"
#include "weft/ops/matmul.hpp"
#include "weft/ops/shape.hpp"
#include "weft/optim/adam.hpp"
#include "weft/seq2seq/beam_search.hpp"
#include "weft/seq2seq/model_options.hpp"

using namespace weft;
using namespace weft::seq2seq;

namespace {

/// score = scale * query . key, with a scale to learn.
class Scaled : public nn::attention::Attention {
 public:
  Scaled(double start, const nn::Scope& scope)
      : Attention("Scaled", {}, {nn::Normaliser::softmax, 0}, scope),
        scale(this, "scale", Shape{1}, nn::init::constant(start)) {}
  nn::Weight scale;

 private:
  Var scores(const Var& query, const Var& keys) override { return matmul(query, transpose(keys, 1, 2)) * scale; }
};

EncoderDecoderOptions with_own_attention(double scale) {
  EncoderDecoderOptions options = test::small_options();
  options.make_attention = [scale](const nn::Scope& scope) { return std::make_unique<Scaled>(scale, scope); };
  return options;
}

}  // namespace

TEST_CASE("gradients of every parameter are right, whatever the kind of translator") {
  std::vector<EncoderDecoderOptions> kinds(4, test::small_options());
  kinds[0].input_feeding = false;
  kinds[1].tie_output = true;
  kinds[1].share_embeddings = true;
  kinds[1].source_vocabulary = kinds[1].target_vocabulary = 9;
  kinds[2].encoder_layers = kinds[2].decoder_layers = 2;
  kinds[2].dropout = 0.2;
  kinds[3].recurrent = nn::RecurrentKind::gru;
  kinds[3].encoder_layers = 2;
  for (const EncoderDecoderOptions& options : test::each_attention()) kinds.push_back(options);
  for (const nn::Normaliser normaliser : {nn::Normaliser::sparsemax, nn::Normaliser::entmax15})
    for (const AttentionKind attention : {AttentionKind::general, AttentionKind::location, AttentionKind::multi_head}) {
      kinds.push_back(test::small_options());
      kinds.back().attention = attention;
      kinds.back().heads = 2;
      kinds.back().normaliser = normaliser;
    }
  const Batch batch = test::small_batch();
  for (const auto& options : kinds) {
    EncoderDecoder model(options);
    model.to(f64);
    const auto report =
        gradcheck_parameters([&] { return model.loss(batch, 0.1); }, model.parameters(), {.elements = test::elements(40)});
    INFO(report.str());
    CHECK(report.ok());
    CHECK(report.elements > test::elements(200));
  }
}

TEST_CASE("a padded row gives what it gives alone") {
  for (const EncoderDecoderOptions& options : test::each_attention()) {
    CAPTURE(name_of(options.attention));
    EncoderDecoder model(options);
    model.to(f64);
    const std::vector<TokenIds> target = {{4, 5, 6}, {4}, {6, 5}};
    const Var together = model(test::small_batch(test::small_source(), target));
    for (std::size_t r = 0; r < target.size(); ++r) {
      const Var alone = model(test::small_batch({test::small_source()[r]}, {target[r]}));
      const auto row = static_cast<std::int64_t>(r);
      CHECK(test::largest_difference(together.value().slice(0, row, row + 1).slice(1, 0, alone.size(1)), alone.value()) <=
            1e-12);
    }
  }
}

TEST_CASE("with each attention a few steps of training bring the loss down") {
  for (const EncoderDecoderOptions& options : test::each_attention()) {
    CAPTURE(name_of(options.attention));
    EncoderDecoder model(options);
    optim::Adam optimizer(model.parameters(), {.lr = 0.05});
    const Batch batch = test::small_batch();
    double first = 0, last = 0;
    for (int step = 0; step < 20; ++step) {
      Tape tape;
      const Var loss = model.loss(batch);
      last = loss.item();
      if (step == 0) first = last;
      tape.backward(loss);
      for (const Parameter* parameter : model.parameters()) CHECK(parameter->grad().defined());
      optimizer.step();
    }
    CHECK(last < first / 2);
  }
}

TEST_CASE("the normaliser makes the weights of every attention") {
  const Padded source = test::small_batch().source;
  const Tensor begin = Tensor::from<std::int32_t>({begin_id, begin_id, begin_id}, {3});
  for (const EncoderDecoderOptions& options : test::each_attention()) {
    if (options.attention == AttentionKind::none) continue;
    CAPTURE(name_of(options.attention));
    const auto weights = [&](nn::Normaliser normaliser) {
      EncoderDecoderOptions chosen = options;
      chosen.normaliser = normaliser;
      EncoderDecoder model(chosen);  // of the same seed
      model.to(f64);
      const auto [memory, state] = model.encode(source);
      return model.step(memory, state, begin, true).weights.value();
    };
    const Tensor plain = weights(nn::Normaliser::softmax), seen = gt(Var(plain), 0.0);
    const Var scores = log(where(seen, Var(plain), Var::scalar(1, f64)));  // but for a number that all of a row share
    for (const nn::Normaliser normaliser : {nn::Normaliser::sparsemax, nn::Normaliser::entmax15}) {
      CAPTURE(nn::name_of(normaliser));
      const Tensor found = weights(normaliser);
      CHECK(test::largest_difference(found, plain) > 1e-6);
      if (options.attention == AttentionKind::local_p || options.attention == AttentionKind::multi_head) continue;
      CHECK(test::largest_difference(found, nn::normalised(normaliser, scores, seen).value()) < 1e-9);
    }
  }
}

TEST_CASE("an attention of one's own is learned and searched with as the others are") {
  EncoderDecoder own(with_own_attention(1));
  own.to(f64);
  const auto scale = std::find_if(own.parameters().begin(), own.parameters().end(),
                                  [](const Parameter* parameter) { return parameter->name() == "attention.scale"; });
  REQUIRE(scale != own.parameters().end());
  (*scale)->mutable_value().fill(1 / std::sqrt(6.0));
  const Batch batch = test::small_batch();
  const auto report = gradcheck_parameters([&] { return own.loss(batch); }, own.parameters(), {.elements = test::elements(40)});
  INFO(report.str());
  CHECK(report.ok());

  // With that scale it is a kind that there is.
  auto scaled_dot = test::small_options();
  scaled_dot.attention = AttentionKind::scaled_dot;
  EncoderDecoder known(scaled_dot);
  known.to(f64);
  StateDict weights;
  for (const NamedTensor& each : own.state_dict())
    if (each.name != "attention.scale") weights.push_back(each);
  known.load_state_dict(weights);
  CHECK(test::largest_difference(own(batch).value(), known(batch).value()) <= 1e-12);
  own.eval();
  known.eval();
  const auto mine = beam_search(own, batch.source, {.beam = 3}), theirs = beam_search(known, batch.source, {.beam = 3});
  REQUIRE(mine.size() == theirs.size());
  for (std::size_t row = 0; row < mine.size(); ++row) CHECK(mine[row].front().ids == theirs[row].front().ids);
}

TEST_CASE("an attention of one's own that isn't there, and options that are for the others, are refused") {
  auto options = with_own_attention(1);
  options.attention = AttentionKind::dot;
  CHECK_THROWS_WITH_AS(EncoderDecoder{options},
                       "[EncoderDecoder] make_attention is there and attention dot with normaliser softmax: leave them as they "
                       "were (general, softmax)",
                       ValueError);
  options = with_own_attention(1);
  const std::string json = to_json(options);
  CHECK_THROWS_WITH_AS(model_options_of(json, "run"),
                       "[Translator] run: its attention was made by a make_attention; make the model with that and load the "
                       "weights into it",
                       FormatError);
  options.make_attention = [](const nn::Scope&) { return nullptr; };
  CHECK_THROWS_WITH_AS(EncoderDecoder{options}, "[EncoderDecoder] make_attention made none", ValueError);
}

TEST_CASE("kinds of attention have names") {
  for (const char* name : attention_names) CHECK(name_of(attention_kind(name)) == name);
  CHECK(attention_kind("local-p") == AttentionKind::local_p);
  CHECK_THROWS_WITH_AS(attention_kind("total"),
                       "[attention_kind] 'total' is no attention; none, dot, scaled_dot, general, additive, concat, cosine, "
                       "location, local-m, local-p, multi_head, coverage are",
                       ValueError);
}

TEST_CASE("a tied output has the embedding's name in the state only") {
  auto options = test::small_options();
  options.tie_output = true;
  EncoderDecoder model(options);
  for (const auto& [name, tensor] : model.state_dict()) CHECK(name.find("output") == std::string::npos);
}

TEST_CASE("options that can't be are refused") {
  auto options = test::small_options();
  options.hidden = 5;
  CHECK_THROWS_AS(EncoderDecoder{options}, ValueError);
  options = test::small_options();
  options.source_vocabulary = 0;
  CHECK_THROWS_AS(EncoderDecoder{options}, ValueError);
  options = test::small_options();
  options.share_embeddings = true;
  CHECK_THROWS_WITH_AS(EncoderDecoder{options}, "[EncoderDecoder] share_embeddings needs one vocabulary, not 9 and 7 tokens",
                       ValueError);
  options = test::small_options();
  options.decoder_layers = 0;
  CHECK_THROWS_AS(EncoderDecoder{options}, ValueError);
  options = test::small_options();
  options.window = 0;
  CHECK_THROWS_WITH_AS(EncoderDecoder{options}, "[EncoderDecoder] window is 0; it must be 1 or more", ValueError);
  options = test::small_options();
  options.normaliser = nn::Normaliser::sparsemax;
  options.attention = AttentionKind::none;
  CHECK_THROWS_WITH_AS(EncoderDecoder{options},
                       "[EncoderDecoder] normaliser sparsemax needs attention, which is none; leave it at softmax", ValueError);
  options.attention = AttentionKind::general;
  options.source_vocabulary = options.target_vocabulary;
  options.copy = true;
  CHECK_THROWS_WITH_AS(EncoderDecoder{options},
                       "[EncoderDecoder] copy needs the normaliser softmax, not sparsemax: a word of the source alone whose "
                       "weight is 0 can't be learned",
                       ValueError);
}

TEST_CASE("a token outside the vocabulary is named") {
  EncoderDecoder model(test::small_options());
  const TokenIds source = {4, 99};
  const std::vector<const TokenIds*> rows = {&source};
  CHECK_THROWS_WITH_AS(model.encode(pad(rows)), doctest::Contains("index 99 at [0, 1]"), IndexError);
}

TEST_CASE("a step from another model's memory or state is refused") {
  auto options = test::small_options();
  options.attention = attention_kind("dot");
  EncoderDecoder model(options);
  model.eval();
  const Model::Encoded start = model.encode(pad(test::pointers(test::small_source())));
  const Tensor tokens = Tensor::from<std::int32_t>({begin_id, begin_id, begin_id}, {3});
  CHECK_NOTHROW(model.step(start.memory, start.state, tokens, false));
  CHECK_THROWS_WITH_AS(model.step(start.memory, {}, tokens, false), doctest::Contains("a memory of 3 values and a state of 0"),
                       ValueError);
  options.decoder_layers = 2;
  EncoderDecoder deeper(options);
  CHECK_THROWS_WITH_AS(deeper.step(start.memory, start.state, tokens, false),
                       doctest::Contains("for a decoder whose encode gives 3 and 7"), ValueError);
  CHECK_THROWS_WITH_AS(model.step({}, start.state, tokens, false), doctest::Contains("a memory of 0 values"), ValueError);
}
