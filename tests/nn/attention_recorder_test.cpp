#include "weft/nn/attention_recorder.hpp"

#include <doctest/doctest.h>

#include "golden/golden.hpp"
#include "support/random.hpp"
#include "weft/autograd/tape.hpp"
#include "weft/base/error.hpp"
#include "weft/base/random.hpp"
#include "weft/nn/transformer.hpp"

using namespace weft;

TEST_CASE("a recorder keeps the weights of each layer and head of a model that doesn't ask for them") {
  nn::Transformer model(
      {.d_model = 8, .nhead = 2, .num_encoder_layers = 2, .num_decoder_layers = 1, .dim_feedforward = 8, .dropout = 0});
  Generator generator(1);
  const Var source = Tensor::randn({2, 5, 8}, generator), target = Tensor::randn({2, 3, 8}, generator);
  const NoGrad nothing_recorded;
  const Tensor alone = model(source, target).value();
  const nn::AttentionRecorder recorder;
  const Tensor output = model(source, target).value();
  CHECK(test::relative_error(output, alone) < 1e-5);

  const auto& calls = recorder.calls();
  REQUIRE(calls.size() == 4);
  CHECK(calls[0].module == "encoder.layers.0.self_attn");
  CHECK(calls[1].module == "encoder.layers.1.self_attn");
  CHECK(calls[2].module == "decoder.layers.0.self_attn");
  CHECK(calls[3].module == "decoder.layers.0.multihead_attn");
  CHECK(calls[0].weights.shape() == Shape{2, 2, 5, 5});
  CHECK(calls[3].weights.shape() == Shape{2, 2, 3, 5});
  CHECK(recorder.layers("encoder.").shape() == Shape{4, 2, 5, 5});  // two rows of each of two layers
  CHECK(test::relative_error(recorder.layers("decoder.", "multihead_attn"), calls[3].weights) == 0);
  CHECK_FALSE(recorder.layers("decoder.", "other").defined());
  CHECK_THROWS_AS(recorder.layers(), ShapeError);
  CHECK(calls[2].weights.at({0, 0, 0, 0}) == 1);  // causal: the first place sees itself alone
  CHECK(calls[2].weights.at({0, 0, 0, 1}) == 0);
}

TEST_CASE("a recorder changes neither a bit of heads' outputs nor what the tape keeps") {
  nn::MultiheadAttention attention({.embed_dim = 8, .num_heads = 2, .dropout = 0.5});
  const Tensor x = test::uniform({2, 7, 8}, -1, 1, 1, f32);
  const auto run = [&] {
    Generator generator(3);
    Tape tape(generator);
    const Tensor output = attention(x, x, x, AttentionMask{.causal = true}).output.value().clone();
    return std::pair(output, tape.size());
  };
  const auto [alone, nodes_alone] = run();
  const nn::AttentionRecorder recorder;
  const auto [seen, nodes_seen] = run();
  CHECK(test::largest_difference(seen, alone) == 0);
  CHECK(nodes_seen == nodes_alone);
  REQUIRE(recorder.calls().size() == 1);
  attention.eval();
  const Tensor weights = attention(x, x, x, AttentionMask{.causal = true}, nn::AttentionWeights::per_head).weights.value();
  CHECK(test::largest_difference(recorder.calls()[0].weights, weights) == 0);  // without dropout
}

TEST_CASE("a recorder sees what an inner one sees, and nothing after its end") {
  nn::MultiheadAttention attention({.embed_dim = 4, .num_heads = 2});
  const Var x = Tensor::ones({1, 3, 4});
  const NoGrad nothing_recorded;
  const nn::AttentionRecorder outer;
  {
    const nn::AttentionRecorder inner;
    const auto given = attention(x, x, x, AttentionMask{}, nn::AttentionWeights::per_head);
    REQUIRE(inner.calls().size() == 1);
    CHECK(test::relative_error(inner.calls()[0].weights, given.weights.value()) == 0);
    CHECK_FALSE(attention(x, x, x).weights.defined());  // asked for by nobody but the recorder
    CHECK(attention(x, x, x, AttentionMask{}, nn::AttentionWeights::averaged).weights.shape() == Shape{1, 3, 3});
  }
  CHECK(outer.calls().size() == 3);
  CHECK(nn::AttentionRecorder::alive());
}
