#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <map>
#include <string>
#include <utility>

#include "nn/mixing_checks.hpp"
#include "support/lengths.hpp"
#include "support/random.hpp"
#include "weft/autograd/gradcheck.hpp"
#include "weft/autograd/tape.hpp"
#include "weft/base/error.hpp"
#include "weft/nn/attention_recorder.hpp"
#include "weft/nn/transformer.hpp"
#include "weft/ops/elementwise.hpp"
#include "weft/ops/reduce.hpp"
#include "weft/ops/shape.hpp"

// The layers of a Transformer with every mixing, normaliser and span.

using namespace weft;
using nn::Mixing;
using nn::Normaliser;
using test::largest_difference;
using test::squares_within;
using test::uniform;
using test::with_nan_behind;

namespace {

constexpr Mixing mixings[] = {Mixing::attention, Mixing::light,       Mixing::dynamic, Mixing::linear,
                              Mixing::gated,     Mixing::block_local, Mixing::strided, Mixing::window};

nn::TransformerLayerOptions small() {
  return {.d_model = 6,
          .nhead = 2,
          .dim_feedforward = 7,
          .dropout = 0,
          .activation = nn::TransformerActivation::gelu,
          .kernel_size = 3,
          .reach = 2};
}

struct Kind {
  std::string name;
  nn::TransformerLayerOptions options;
};

std::vector<Kind> kinds() {
  std::vector<Kind> result;
  for (const Mixing mixing : mixings) {
    result.push_back({name_of(mixing), small()});
    result.back().options.mixing = mixing;
  }
  for (const Normaliser normaliser : {Normaliser::sparsemax, Normaliser::entmax15}) {
    result.push_back({name_of(normaliser), small()});
    result.back().options.normaliser = normaliser;
  }
  result.push_back({"span", small()});
  result.back().options.max_span = 4;
  return result;
}

/// Random weights everywhere, in f64; spans where they have no kinks.
template <class Layer>
Layer& filled(Layer& layer) {
  test::filled(layer);
  for (nn::AdaptiveSpan* span : nn::adaptive_spans(layer))
    span->span->mutable_value().copy_from(Tensor::from<double>({0.3, 0.6}, {2}));
  return layer;
}

const Tensor lengths = Tensor::from<std::int64_t>({5, 3}, {2}), memory_lengths = Tensor::from<std::int64_t>({2, 4}, {2});
const AttentionMask encoder_mask{.lengths = lengths}, decoder_mask{.lengths = lengths, .causal = true},
    memory_mask{.lengths = memory_lengths};

Tensor input() { return uniform({2, 5, 6}, -1, 1, 1); }
Tensor memory() { return uniform({2, 4, 6}, -1, 1, 2); }

// Both kinds of layer, filled.
struct Layers {
  explicit Layers(const nn::TransformerLayerOptions& options) : encoder(options), decoder(options) {
    filled(encoder);
    filled(decoder);
  }
  nn::TransformerEncoderLayer encoder;
  nn::TransformerDecoderLayer decoder;
};

Tensor row(const Tensor& x, std::int64_t b, const Tensor& ends) {
  return x.slice(0, b, b + 1).slice(1, 0, ends.data<std::int64_t>()[b]);
}

}  // namespace

TEST_CASE("hooks run in steps as they do for all places at once, whatever mixes them") {
  for (const Kind& kind : kinds()) {
    CAPTURE(kind.name);
    Layers layers(kind.options);
    std::map<std::string, int> ran;
    for (nn::ModuleBase* layer : {static_cast<nn::ModuleBase*>(&layers.encoder), static_cast<nn::ModuleBase*>(&layers.decoder)})
      for (nn::ModuleBase* module : layer->modules())
        module->on_output([&ran, layer, &layers](const nn::ModuleBase& which, const Var& output) {
          ++ran[(layer == &layers.encoder ? "encoder " : "decoder ") + std::string(which.path())];
          return output * 0.5;
        });
    const Tensor x = input();
    const AttentionMask causal{.causal = true};
    const Var encoded = layers.encoder(x, causal), decoded = layers.decoder(x, memory(), causal);
    const auto at_once = std::exchange(ran, {});
    nn::AttentionCache by_encoder, by_decoder;
    for (std::int64_t t = 0; t < 5; ++t) {
      nn::MixingStep one = layers.encoder.step(x.slice(1, t, t + 1), by_encoder);
      CHECK(largest_difference(one.output.value(), encoded.value().slice(1, t, t + 1)) < 1e-12);
      by_encoder = std::move(one.cache);
      nn::TransformerDecoderLayerStep other =
          layers.decoder.step(x.slice(1, t, t + 1), by_decoder, layers.decoder.multihead_attn.remember(memory(), memory()), {});
      CHECK(largest_difference(other.output.value(), decoded.value().slice(1, t, t + 1)) < 1e-12);
      by_decoder = std::move(other.cache);
    }
    CHECK(at_once.size() > 10);
    for (const auto& [path, times] : at_once) {
      INFO(path);
      CHECK(ran[path] == 5 * times);
    }
  }
}

TEST_CASE("first and second derivatives of a layer are right, whatever mixes its places") {
  for (const Kind& kind : kinds()) {
    CAPTURE(kind.name);
    Layers layers(kind.options);
    const auto check = [](nn::ModuleBase& layer, const GradcheckFunction& f, const std::vector<Tensor>& inputs) {
      const auto loss = [&] { return f({inputs.begin(), inputs.end()}); };
      gradcheck_parameters(loss, layer.parameters(), {.elements = 6}).require();
      gradgradcheck_parameters(loss, layer.parameters(), {.rtol = 1e-4, .directions = 2}).require();
      layer.zero_grad();
      gradgradcheck(f, inputs, {.rtol = 1e-4, .directions = 2}).require();
      layer.zero_grad();
    };
    check(layers.encoder,
          [&](const std::vector<Var>& in) { return squares_within(layers.encoder(in[0], encoder_mask), lengths); }, {input()});
    check(layers.decoder,
          [&](const std::vector<Var>& in) {
            return squares_within(layers.decoder(in[0], in[1], decoder_mask, memory_mask), lengths);
          },
          {input(), memory()});
  }
}

TEST_CASE("a padded row gives what it gives alone, whatever mixes its places and whatever stands behind it") {
  for (const Kind& kind : kinds()) {
    CAPTURE(kind.name);
    Layers layers(kind.options);
    auto& [encoder, decoder] = layers;
    const Tensor x = with_nan_behind(input(), lengths), y = with_nan_behind(memory(), memory_lengths);
    const Tensor encoded = encoder(x, encoder_mask).value(), decoded = decoder(x, y, decoder_mask, memory_mask).value();
    for (std::int64_t b = 0; b < 2; ++b) {
      const Tensor alone = row(x, b, lengths);
      CHECK(largest_difference(encoder(alone).value(), row(encoded, b, lengths)) <= 1e-12);
      CHECK(largest_difference(decoder(alone, row(y, b, memory_lengths)).value(), row(decoded, b, lengths)) <= 1e-12);
    }
  }
}

TEST_CASE("steps of a layer give what all places at once give under a causal mask, whatever mixes them") {
  for (const Kind& kind : kinds()) {
    CAPTURE(kind.name);
    Layers layers(kind.options);
    auto& [encoder, decoder] = layers;
    const Tensor x = uniform({2, 7, 6}, -1, 1, 1), y = memory();
    const Tensor encoded = encoder(x, AttentionMask{.causal = true}).value(),
                 decoded = decoder(x, y, AttentionMask{.causal = true}, memory_mask).value();
    const nn::AttentionCache remembered = decoder.multihead_attn.remember(y, y, memory_lengths);
    nn::AttentionCache of_encoder, of_decoder;
    std::int64_t start = 0;
    for (const std::int64_t count : {1, 1, 3, 2}) {
      const Tensor part = x.slice(1, start, start + count);
      const nn::MixingStep step = encoder.step(part, of_encoder);
      CHECK(largest_difference(step.output.value(), encoded.slice(1, start, start + count)) <= 1e-12);
      const nn::TransformerDecoderLayerStep next = decoder.step(part, of_decoder, remembered, memory_mask);
      CHECK(largest_difference(next.output.value(), decoded.slice(1, start, start + count)) <= 1e-12);
      of_encoder = step.cache;
      of_decoder = next.cache;
      start += count;
    }
  }
}

TEST_CASE("a layer's normaliser weighs attention to itself and to a memory") {
  const Tensor x = uniform({2, 5, 6}, -9, 9, 1), y = uniform({2, 4, 6}, -9, 9, 2);
  for (const Normaliser normaliser : {Normaliser::softmax, Normaliser::sparsemax, Normaliser::entmax15}) {
    CAPTURE(name_of(normaliser));
    auto options = small();
    options.normaliser = normaliser;
    nn::TransformerDecoderLayer decoder(options);
    filled(decoder);
    const NoGrad nothing_recorded;
    const nn::AttentionRecorder recorder;
    decoder(x, y, AttentionMask{});
    REQUIRE(recorder.calls().size() == 2);
    for (const auto& call : recorder.calls()) {
      CAPTURE(call.module);
      CHECK(largest_difference(sum(call.weights, {3}).value(), Tensor::ones({2, 2, 5}, f64)) <= 1e-12);
      CHECK((min(call.weights).item() == 0) == (normaliser != Normaliser::softmax));
    }
  }
}

TEST_CASE("spans are of a layer's attention to itself alone, and a model's are found") {
  nn::Transformer model(
      {.d_model = 6, .nhead = 2, .num_encoder_layers = 2, .num_decoder_layers = 1, .dim_feedforward = 7, .max_span = 3});
  std::vector<std::string> paths;
  for (const nn::AdaptiveSpan* span : nn::adaptive_spans(model)) paths.emplace_back(span->path());
  CHECK(paths == std::vector<std::string>{"encoder.layers.0.self_attn.span", "encoder.layers.1.self_attn.span",
                                          "decoder.layers.0.self_attn.span"});
  nn::Transformer plain({.d_model = 6, .nhead = 2, .num_encoder_layers = 1, .num_decoder_layers = 1, .dim_feedforward = 7});
  CHECK(nn::adaptive_spans(plain).empty());
}

TEST_CASE("every matrix of a mixing starts as a Transformer's others do") {
  for (std::size_t i = 0; i < nn::mixing_names.size(); ++i) {
    const auto mixing = static_cast<Mixing>(i);
    CAPTURE(name_of(mixing));
    nn::Transformer model({.d_model = 24,
                           .nhead = 2,
                           .num_encoder_layers = 1,
                           .num_decoder_layers = 1,
                           .dim_feedforward = 7,
                           .mixing = mixing,
                           .reach = 2});
    std::int64_t matrices = 0;
    for (const nn::NamedParameter& p : model.encoder.layers[0].named_parameters()) {
      if (!p.name.starts_with("self_attn.") || p.parameter->shape().rank() != 2 || p.parameter->numel() < 100) continue;
      CAPTURE(p.name);
      ++matrices;
      // Glorot's bound; PyTorch's own for a layer is 1 / sqrt(inputs), two fifths smaller or more for these.
      const double bound = std::sqrt(6.0 / static_cast<double>(p.parameter->shape()[0] + p.parameter->shape()[1]));
      const double largest = max(abs(Var(p.parameter->value()))).item();
      CHECK(largest <= bound);
      CHECK(largest > 0.9 * bound);
    }
    CHECK(matrices >= 2);
  }
}

TEST_CASE("a layer refuses options that don't fit its mixing") {
  const auto refuse = [](const auto& change, const char* message) {
    auto options = small();
    change(options);
    CHECK_THROWS_WITH_AS(nn::TransformerEncoderLayer{options}, doctest::Contains(message), ValueError);
    CHECK_THROWS_WITH_AS(nn::TransformerDecoderLayer{options}, doctest::Contains(message), ValueError);
  };
  for (const Mixing mixing : {Mixing::block_local, Mixing::strided, Mixing::window})
    refuse([&](auto& o) { o.mixing = mixing, o.reach = 0; },
           "[attention::SparseSelfAttention] reach is 0; it must be 1 or more");
  refuse([](auto& o) { o.mixing = Mixing::gated, o.nhead = 4; }, "Layer] d_model is 6 and nhead 4; both must be positive");
  refuse([](auto& o) { o.mixing = Mixing::gated, o.normaliser = Normaliser::sparsemax; },
         "Layer] normaliser sparsemax is for mixing attention; mixing gated has no weights to normalise, leave it at softmax");
  refuse([](auto& o) { o.mixing = Mixing::block_local, o.max_span = 3; },
         "Layer] max_span 3 is for mixing attention; mixing block_local has no spans, leave it at 0");
  refuse([](auto& o) { o.max_span = -1; }, "max_span -1");
  refuse([](auto& o) { o.mixing = Mixing::window, o.positions = nn::AttentionPositions::rotary; }, "positions of attention");
  auto options = small();
  options.mixing = Mixing::window;
  nn::TransformerEncoderLayer layer(options);
  CHECK_THROWS_WITH_AS(layer(Tensor::ones({2, 5, 6}), AttentionMask{.allowed = Tensor::ones({5, 5}, boolean)}),
                       doctest::Contains("a mask bool[5, 5] of pairs of places can't be followed for input f32[2, 5, 6]"),
                       ValueError);
}
