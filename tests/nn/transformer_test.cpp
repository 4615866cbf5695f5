#include "weft/nn/transformer.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include "support/lengths.hpp"
#include "support/random.hpp"
#include "weft/autograd/gradcheck.hpp"
#include "weft/autograd/recompute.hpp"
#include "weft/autograd/tape.hpp"
#include "weft/base/error.hpp"
#include "weft/ops/elementwise.hpp"
#include "weft/ops/index.hpp"
#include "weft/ops/reduce.hpp"
#include "weft/ops/shape.hpp"

using namespace weft;
using test::largest_difference;
using test::squares_within;
using test::uniform;
using test::with_nan_behind;

namespace {

const Tensor source_lengths = Tensor::from<std::int64_t>({4, 2, 3}, {3}),
             target_lengths = Tensor::from<std::int64_t>({3, 5, 1}, {3});
const nn::TransformerMasks masks{
    {.lengths = source_lengths}, {.lengths = target_lengths, .causal = true}, {.lengths = source_lengths}};

nn::TransformerOptions small_options(bool norm_first, double dropout = 0) {
  return {.d_model = 6,
          .nhead = 2,
          .num_encoder_layers = 2,
          .num_decoder_layers = 2,
          .dim_feedforward = 7,
          .dropout = dropout,
          .activation = norm_first ? nn::TransformerActivation::gelu : nn::TransformerActivation::relu,
          .norm_first = norm_first};
}

}  // namespace

TEST_CASE("what the memory's mask closes reaches nothing of a decoder, NaN included, in steps too") {
  nn::TransformerDecoder decoder({.layer = {.d_model = 6, .nhead = 2, .dim_feedforward = 7, .dropout = 0}, .num_layers = 2});
  decoder.to(f64);
  const Tensor x = uniform({2, 3, 6}, -1, 1, 1), memory = uniform({2, 4, 6}, -1, 1, 2);
  Tensor spoilt = memory.clone();
  spoilt.slice(1, 2, 3).fill(std::numeric_limits<double>::quiet_NaN());
  const Tensor allowed = Tensor::from<bool>({true, true, false, true, true, false, false, true}, {2, 1, 1, 4});
  const auto run = [&](const Tensor& places, bool by_steps) {
    Tape tape;
    const Var to = tape.leaf(places);
    Var loss = Var::scalar(0, f64);
    if (by_steps) {
      const nn::TransformerMemory kept = decoder.remember(to, {.allowed = allowed});
      nn::TransformerState state;
      for (std::int64_t t = 0; t < 3; ++t) {
        nn::TransformerStep step = decoder.step(x.slice(1, t, t + 1), kept, state);
        loss = loss + sum(square(step.output));
        state = std::move(step.state);
      }
    } else {
      loss = sum(square(decoder(x, to, AttentionMask{.causal = true}, AttentionMask{.allowed = allowed})));
    }
    tape.backward(loss);
    std::vector<Tensor> result = {loss.value().clone(), tape.grad(to).clone()};
    for (Parameter* parameter : decoder.parameters()) result.push_back(parameter->grad().clone());
    decoder.zero_grad();
    return result;
  };
  for (const bool by_steps : {false, true}) {
    CAPTURE(by_steps);
    const auto clean = run(memory, by_steps), dirty = run(spoilt, by_steps);
    for (std::size_t i = 0; i < clean.size(); ++i) CHECK(largest_difference(clean[i], dirty[i]) == 0);
  }
  const auto whole = run(memory, false), steps = run(memory, true);
  for (std::size_t i = 0; i < whole.size(); ++i) CHECK(largest_difference(whole[i], steps[i]) <= 1e-12);
}

TEST_CASE("the names are PyTorch's") {
  nn::Transformer model({.d_model = 4, .nhead = 2, .num_encoder_layers = 1, .num_decoder_layers = 1, .dim_feedforward = 3});
  std::vector<std::string> names;
  for (const auto& [name, tensor] : model.state_dict()) names.push_back(name);
  std::vector<std::string> expected;
  const auto add = [&](const std::string& layer, std::initializer_list<const char*> attentions, int norms) {
    for (const std::string attention : attentions)
      for (const char* part : {"in_proj_weight", "in_proj_bias", "out_proj.weight", "out_proj.bias"})
        expected.push_back(layer + attention + "." + part);
    const auto both = [&](const std::string& name) {
      for (const char* part : {".weight", ".bias"}) expected.push_back(layer + name + part);
    };
    both("linear1");
    both("linear2");
    for (int i = 1; i <= norms; ++i) both("norm" + std::to_string(i));
  };
  add("encoder.layers.0.", {"self_attn"}, 2);
  for (const char* part : {"encoder.norm.weight", "encoder.norm.bias"}) expected.emplace_back(part);
  add("decoder.layers.0.", {"self_attn", "multihead_attn"}, 3);
  for (const char* part : {"decoder.norm.weight", "decoder.norm.bias"}) expected.emplace_back(part);
  CHECK(names == expected);
}

TEST_CASE("every matrix of a Transformer starts as Glorot's") {
  nn::Transformer model({.d_model = 24, .nhead = 2, .num_encoder_layers = 1, .num_decoder_layers = 1, .dim_feedforward = 16});
  for (const nn::NamedParameter& named : model.named_parameters()) {
    CAPTURE(named.name);
    const Parameter* parameter = named.parameter;
    if (parameter->shape().rank() != 2) continue;
    const double bound = std::sqrt(6.0 / static_cast<double>(parameter->shape()[0] + parameter->shape()[1]));
    CHECK(test::largest(parameter->value()) <= bound);
    CHECK(test::largest(parameter->value()) > 0.95 * bound);
  }
}

TEST_CASE("gradients of every parameter to second order") {
  for (const bool norm_first : {false, true}) {
    nn::Transformer model(small_options(norm_first, 0.2), {.seed = 5});
    model.to(f64);
    const Tensor source = uniform({3, 4, 6}, -1, 1, 1), target = uniform({3, 5, 6}, -1, 1, 2);
    const auto loss = [&] { return squares_within(model(source, target, masks), target_lengths); };
    gradcheck_parameters(loss, model.parameters(), {.step = 1e-5, .rtol = 1e-6, .atol = 1e-8, .directions = 3}).require();
    if (norm_first)  // relu's second derivative isn't there where it bends
      gradgradcheck_parameters(loss, model.parameters(), {.rtol = 1e-4, .directions = 1}).require();
  }
}

TEST_CASE("padding reaches nothing, NaN included; a padded row gives what it gives alone") {
  for (const bool norm_first : {false, true}) {
    nn::Transformer model(small_options(norm_first));
    model.to(f64);
    const Tensor source = uniform({3, 4, 6}, -1, 1, 1), target = uniform({3, 5, 6}, -1, 1, 2);
    const auto run = [&](const Tensor& from, const Tensor& to) {
      Tape tape;
      const Var x = tape.leaf(from), y = tape.leaf(to);
      const Var output = model(x, y, masks);
      tape.backward(squares_within(output, target_lengths));
      std::vector<Tensor> result = {output.value().clone(), tape.grad(x).clone(), tape.grad(y).clone()};
      for (Parameter* parameter : model.parameters()) result.push_back(parameter->grad().clone());
      model.zero_grad();
      return result;
    };
    const auto clean = run(source, target),
               dirty = run(with_nan_behind(source, source_lengths), with_nan_behind(target, target_lengths));
    for (std::size_t i = 0; i < clean.size(); ++i) CHECK(largest_difference(clean[i], dirty[i]) == 0);
    for (std::int64_t b = 0; b < 3; ++b) {
      const auto row = [b](const Tensor& x, const Tensor& lengths) {
        return x.slice(0, b, b + 1).slice(1, 0, lengths.data<std::int64_t>()[b]);
      };
      const Tensor alone = model(row(source, source_lengths), row(target, target_lengths)).value();
      CHECK(largest_difference(alone, row(clean[0], target_lengths)) <= 1e-13);
    }
    // Layers alone.
    const auto layer_run = [&](const Tensor& x) { return model.encoder.layers[0](x, masks.source).value(); };
    CHECK(largest_difference(layer_run(source), layer_run(with_nan_behind(source, source_lengths))) == 0);
    const auto decoder_run = [&](const Tensor& x, const Tensor& memory) {
      return model.decoder.layers[0](x, memory, masks.target, masks.memory).value();
    };
    CHECK(largest_difference(decoder_run(target, source), decoder_run(with_nan_behind(target, target_lengths),
                                                                      with_nan_behind(source, source_lengths))) == 0);
  }
}

TEST_CASE("decoding with caches gives what all places at once give, for beams too") {
  for (const bool norm_first : {false, true})
    for (const DType dtype : {f32, f64}) {
      nn::Transformer model(small_options(norm_first), {.seed = 7});
      model.to(dtype);
      const Tensor source = uniform({3, 4, 6}, -1, 1, 1, dtype), target = uniform({6, 5, 6}, -1, 1, 2, dtype);
      const Var encoded = model.encoder(source, masks.source);
      const Tensor twice = Tensor::from<std::int64_t>({0, 0, 1, 1, 2, 2}, {6});
      const AttentionMask many{.lengths = Tensor::from<std::int64_t>({4, 4, 2, 2, 3, 3}, {6})};
      const Tensor whole = model.decoder(target, index_select(encoded, 0, twice), AttentionMask{.causal = true}, many).value();
      nn::TransformerMemory memory = model.decoder.remember(encoded, masks.memory);
      nn::TransformerState state;
      const double tolerance = dtype == f32 ? 2e-6 : 1e-12;
      std::int64_t start = 0;
      for (const std::int64_t count : {1, 1, 2, 1}) {
        CHECK(state.places() == start);
        const auto step =
            model.decoder.step(target.slice(1, start, start + count), memory, state, nn::AttentionWeights::averaged);
        CHECK(largest_difference(step.output.value(), whole.slice(1, start, start + count)) <= tolerance);
        CHECK(step.weights.shape() == Shape{6, count, 4});
        CHECK(step.weights.value().at({2, 0, 3}) == 0);  // behind the second sentence's end
        state = step.state;
        start += count;
      }
      // The second sentence's hypotheses go on alone, in the other order.
      const Tensor chosen = Tensor::from<std::int64_t>({3, 2}, {2}), next = uniform({2, 1, 6}, -1, 1, 4, dtype);
      const auto alone =
          model.decoder.step(next, memory.select(Tensor::from<std::int64_t>({1}, {1})), state.select(chosen)).output.value();
      Tensor longer = Tensor::empty({6, 6, 6}, dtype);
      longer.slice(1, 0, 5).copy_from(target);
      longer.slice(1, 5, 6).fill(0);
      longer.select(1, 5).slice(0, 2, 4).copy_from(next.select(1, 0).flip(0));
      const Tensor again = model.decoder(longer, index_select(encoded, 0, twice), AttentionMask{.causal = true}, many).value();
      CHECK(largest_difference(alone.select(0, 0), again.select(0, 3).slice(0, 5, 6)) <= tolerance);
      CHECK(largest_difference(alone.select(0, 1), again.select(0, 2).slice(0, 5, 6)) <= tolerance);
    }
}

TEST_CASE("an encoder's places one by one get what a causal mask gives them") {
  for (const bool norm_first : {false, true}) {
    nn::Transformer model(small_options(norm_first), {.seed = 7});
    model.to(f64);
    const Tensor x = uniform({3, 5, 6}, -1, 1, 1);
    const Tensor whole = model.encoder(x, AttentionMask{.causal = true}).value();
    nn::TransformerState state;
    for (std::int64_t start = 0; start < 5; start = state.places()) {
      const auto step = model.encoder.step(x.slice(1, start, start == 0 ? 2 : start + 1), state);
      CHECK(largest_difference(step.output.value(), whole.slice(1, start, step.state.places())) <= 1e-12);
      state = step.state;
    }
    const Tensor rows = Tensor::from<std::int64_t>({2, 0}, {2}), next = uniform({2, 1, 6}, -1, 1, 2);
    const Tensor longer = concat({x.select(0, 2), next.select(0, 0)}, 0).value().unsqueeze(0);
    CHECK(largest_difference(model.encoder.step(next, state.select(rows)).output.value().slice(0, 0, 1),
                             model.encoder(longer, AttentionMask{.causal = true}).value().slice(1, 5, 6)) <= 1e-12);
    state.layers.pop_back();
    CHECK_THROWS_WITH_AS(model.encoder.step(next, state), doctest::Contains("for an encoder of"), ValueError);
  }
}

TEST_CASE("steps take a memory's mask as forward takes it") {
  nn::Transformer model(small_options(false), {.seed = 7});
  model.to(f64);
  const Tensor memory = uniform({3, 4, 6}, -1, 1, 1), target = uniform({3, 5, 6}, -1, 1, 2);
  const AttentionMask mask{.allowed = test::coins({3, 2, 1, 4}, 0.6, 3), .lengths = source_lengths};
  const Tensor whole = model.decoder(target, memory, AttentionMask{.causal = true}, mask).value();
  const nn::TransformerMemory kept = model.decoder.remember(memory, mask);
  nn::TransformerState state;
  for (std::int64_t place = 0; place < 5; ++place) {
    const auto step = model.decoder.step(target.slice(1, place, place + 1), kept, state);
    CHECK(largest_difference(step.output.value(), whole.slice(1, place, place + 1)) <= 1e-12);
    state = step.state;
  }
}

TEST_CASE("a layer can be worked out again in backward") {
  nn::TransformerEncoderLayer layer({.d_model = 6, .nhead = 2, .dim_feedforward = 7, .dropout = 0.3});
  layer.to(f64);
  const Tensor x = uniform({3, 4, 6}, -1, 1, 1);
  const auto gradients = [&](bool again) {
    Generator generator(4);
    Tape tape(generator);
    const Var input = tape.leaf(x);
    const auto run = [&](const std::vector<Var>& in) { return layer(in[0], masks.source); };
    tape.backward(sum(square(again ? recompute(run, {input}) : run({input}))));
    std::vector<Tensor> result = {tape.grad(input).clone()};
    for (Parameter* parameter : layer.parameters()) result.push_back(parameter->grad().clone());
    layer.zero_grad();
    return result;
  };
  const auto plain = gradients(false), recomputed = gradients(true);
  for (std::size_t i = 0; i < plain.size(); ++i) CHECK(largest_difference(plain[i], recomputed[i]) <= 1e-14);
}

TEST_CASE("stacks that can't be are refused") {
  CHECK_THROWS_WITH_AS(nn::TransformerEncoder({.layer = {.d_model = 4, .nhead = 2}}),
                       "[TransformerEncoder] num_layers is 0; it must be positive", ValueError);
  CHECK_THROWS_AS(nn::TransformerDecoder({.layer = {.d_model = 4, .nhead = 2}, .num_layers = -1}), ValueError);
  CHECK_THROWS_AS(nn::TransformerEncoderLayer({.d_model = 4, .nhead = 3}), ValueError);
  CHECK_THROWS_AS(nn::TransformerEncoderLayer({.d_model = 4, .nhead = 2, .dim_feedforward = 0}), ValueError);
  nn::Transformer model(small_options(false));
  CHECK_THROWS_WITH_AS(model(Tensor::zeros({1, 2, 6}), Tensor::zeros({1, 2, 5})),
                       doctest::Contains("(in decoder.layers.0.self_attn)"), ShapeError);
  nn::TransformerDecoder other({.layer = {.d_model = 6, .nhead = 2}, .num_layers = 1});
  CHECK_THROWS_AS(other.step(Tensor::zeros({1, 1, 6}), model.decoder.remember(Tensor::zeros({1, 2, 6})), {}), ValueError);
  const Tensor memory = Tensor::zeros({2, 3, 6});
  CHECK_THROWS_AS(other.remember(memory, {.allowed = Tensor::ones({3}, boolean)}), ShapeError);
  CHECK_THROWS_AS(other.remember(memory, {.allowed = Tensor::ones({2, 1, 1, 4}, boolean)}), ShapeError);
  CHECK_THROWS_WITH_AS(other.remember(memory, {.allowed = Tensor::ones({2, 1, 3, 3}, boolean)}),
                       doctest::Contains("the same for every step"), ShapeError);
  CHECK_THROWS_AS(other.remember(memory, {.allowed = Tensor::ones({2, 1, 1, 3})}), DTypeError);
  CHECK_THROWS_WITH_AS(other.remember(memory, {.causal = true}), doctest::Contains("the memory's mask is causal"), ValueError);
  CHECK_THROWS_AS(other.remember(memory.select(0, 0)), ShapeError);
  for (const std::int64_t length : {-5, 99}) {
    const AttentionMask wrong{.lengths = Tensor::from<std::int64_t>({3, length}, {2})};
    CHECK_THROWS_WITH_AS(other.remember(memory, wrong), doctest::Contains("of row 1 is outside 0 to 3"), ValueError);
    CHECK_THROWS_AS(other(memory, memory, AttentionMask{.causal = true}, wrong), ValueError);
    CHECK_THROWS_AS(model.encoder(memory, wrong), ValueError);
  }
}
