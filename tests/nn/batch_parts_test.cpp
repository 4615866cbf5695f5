// Every module that draws: parts of a batch draw what the whole would.
#include <string>

#include "support/parts.hpp"
#include "weft/nn/attention.hpp"
#include "weft/nn/dropout.hpp"
#include "weft/nn/dynamic_conv.hpp"
#include "weft/nn/gated_attention.hpp"
#include "weft/nn/gru.hpp"
#include "weft/nn/lightweight_conv.hpp"
#include "weft/nn/locked_dropout.hpp"
#include "weft/nn/lstm.hpp"
#include "weft/nn/multihead_attention.hpp"
#include "weft/nn/rnn.hpp"
#include "weft/nn/transformer.hpp"
#include "weft/nn/word_dropout.hpp"
#include "weft/ops/index.hpp"

using namespace weft;
using test::check_parts;
using test::uniform;

namespace {

constexpr std::int64_t rows = 4, places = 7, size = 8;

const Tensor x = uniform({rows, places, size}, -1, 1, 1);
const Tensor lengths = Tensor::from<std::int64_t>({7, 4, 0, 5}, {rows});

Tensor of_rows(const Tensor& all, std::int64_t from, std::int64_t to) { return all.defined() ? all.slice(0, from, to) : all; }

// As a layer's mixing, with lengths and without, and by steps.
template <class Mixing>
void check_mixing(Mixing& mixing, bool causal) {
  mixing.to(f64);
  for (const Tensor& ends : {Tensor(), lengths})
    check_parts(rows, [&](std::int64_t from, std::int64_t to) {
      return mixing.mix(of_rows(x, from, to), AttentionMask{.lengths = of_rows(ends, from, to), .causal = causal}, {});
    });
  check_parts(rows, [&](std::int64_t from, std::int64_t to) {
    const nn::MixingStep first = mixing.step(of_rows(x, from, to).slice(1, 0, 3), {});
    return mixing.step(of_rows(x, from, to).slice(1, 3, 5), first.cache).output;
  });
}

}  // namespace

TEST_CASE("parts of a batch draw what the whole draws: dropout of values, features and words") {
  nn::Dropout dropout({.p = 0.4});
  nn::LockedDropout locked({.p = 0.4});
  nn::WordDropout words({.p = 0.4});
  const Tensor ids = test::integers({rows, places}, 4, 2);
  check_parts(rows, [&](std::int64_t from, std::int64_t to) { return dropout(of_rows(x, from, to)); });
  check_parts(rows, [&](std::int64_t from, std::int64_t to) { return locked(of_rows(x, from, to)); });
  check_parts(rows, [&](std::int64_t from, std::int64_t to) { return words(of_rows(x, from, to)); });
  check_parts(rows, [&](std::int64_t from, std::int64_t to) { return words(of_rows(x, from, to), of_rows(ids, from, to)); });
}

TEST_CASE("parts of a batch draw what the whole draws: layers of recurrent modules, of rows of any length") {
  nn::LSTM lstm({.input_size = size, .hidden_size = 3, .num_layers = 3, .bidirectional = true, .dropout = 0.4});
  nn::GRU gru({.input_size = size, .hidden_size = 3, .num_layers = 3, .bidirectional = true, .dropout = 0.4});
  nn::RNN rnn({.input_size = size, .hidden_size = 3, .num_layers = 3, .bidirectional = true, .dropout = 0.4});
  lstm.to(f64), gru.to(f64), rnn.to(f64);
  for (const Tensor& ends : {Tensor(), lengths}) {
    check_parts(rows,
                [&](std::int64_t from, std::int64_t to) { return lstm(of_rows(x, from, to), of_rows(ends, from, to)).output; });
    check_parts(rows,
                [&](std::int64_t from, std::int64_t to) { return gru(of_rows(x, from, to), of_rows(ends, from, to)).output; });
    check_parts(rows,
                [&](std::int64_t from, std::int64_t to) { return rnn(of_rows(x, from, to), of_rows(ends, from, to)).output; });
  }
}

TEST_CASE("parts of a batch draw what the whole draws: attention of every kind with a memory, pooling") {
  using namespace nn::attention;
  const Tensor mask = sequence_mask(lengths, places);
  const auto check_kind = [&](Attention&& attention) {
    attention.to(f64);
    check_parts(rows, [&](std::int64_t from, std::int64_t to) {
      const Tensor all = of_rows(x, from, to);
      return attention(all.slice(1, 0, 3), all, all, of_rows(mask, from, to)).context;
    });
  };
  check_kind(Dot({.dropout = 0.4}));
  check_kind(General({.query_dim = size, .key_dim = size, .dropout = 0.4}));
  check_kind(Additive({.query_dim = size, .key_dim = size, .hidden = 5, .dropout = 0.4}));
  check_kind(Concat({.query_dim = size, .key_dim = size, .hidden = 5, .dropout = 0.4}));
  check_kind(Cosine({.dropout = 0.4}));
  check_kind(Location({.query_dim = size, .key_dim = size, .hidden = 5, .dropout = 0.4}));
  check_kind(Coverage({.query_dim = size, .key_dim = size, .hidden = 5, .dropout = 0.4}));
  check_kind(LocalM({.query_dim = size, .key_dim = size, .window = 2, .dropout = 0.4}));
  check_kind(LocalP({.query_dim = size, .key_dim = size, .hidden = 5, .window = 2, .dropout = 0.4}));
  check_kind(MultiHead({.query_dim = size, .heads = 2, .dropout = 0.4}));
  Pooling pooling({.size = size, .hidden = 5, .dropout = 0.4});
  EncodedPooling encoded({.input_size = size, .hidden = 3, .dropout = 0.4});
  pooling.to(f64), encoded.to(f64);
  check_parts(
      rows, [&](std::int64_t from, std::int64_t to) { return pooling(of_rows(x, from, to), of_rows(mask, from, to)).context; });
  check_parts(rows, [&](std::int64_t from, std::int64_t to) {
    return encoded(of_rows(x, from, to), of_rows(lengths, from, to)).context;
  });
}

TEST_CASE("parts of a batch draw what the whole draws: attention, in blocks and in full, gated") {
  for (const bool causal : {false, true}) {
    for (const nn::AttentionPositions positions :
         {nn::AttentionPositions::none, nn::AttentionPositions::rotary, nn::AttentionPositions::alibi}) {
      CAPTURE(static_cast<int>(positions));
      nn::MultiheadAttention attention(
          {.embed_dim = size, .num_heads = 4, .dropout = 0.3, .kv_heads = 2, .positions = positions});
      check_mixing(attention, causal);
    }
    nn::GatedAttentionUnit gated({.embed_dim = size, .hidden = 6, .key_dim = 3, .dropout = 0.3});
    check_mixing(gated, causal);
  }
}

TEST_CASE("parts of a batch draw what the whole draws: convolutions in attention's place") {
  for (const bool causal : {false, true}) {
    nn::LightweightConv light({.embed_dim = size, .num_heads = 4, .kernel_size = 3, .dropout = 0.3});
    nn::DynamicConv dynamic({.embed_dim = size, .num_heads = 4, .kernel_size = 3, .dropout = 0.3});
    check_mixing(light, causal);
    check_mixing(dynamic, causal);
  }
}

TEST_CASE("parts of a batch draw what the whole draws: sparse patterns, whose short rows are folded") {
  using nn::attention::SparsePattern;
  const std::vector<std::vector<SparsePattern>> chosen = {{SparsePattern::block},
                                                          {SparsePattern::strided},
                                                          {SparsePattern::window},
                                                          {SparsePattern::block, SparsePattern::strided}};
  for (const auto& patterns : chosen)
    for (const bool causal : {false, true}) {
      CAPTURE(static_cast<int>(patterns[0]));
      CAPTURE(causal);
      nn::attention::SparseSelfAttention attention(
          {.embed_dim = size, .num_heads = 4, .reach = 3, .patterns = patterns, .dropout = 0.3});
      attention.to(f64);
      for (const Tensor& ends : {Tensor(), lengths})
        for (const auto weights : {nn::AttentionWeights::none, nn::AttentionWeights::averaged})
          check_parts(rows, [&](std::int64_t from, std::int64_t to) {
            return attention(of_rows(x, from, to), AttentionMask{.lengths = of_rows(ends, from, to), .causal = causal}, weights)
                .output;
          });
      if (!causal) continue;
      check_parts(rows, [&](std::int64_t from, std::int64_t to) {
        const nn::MixingStep first = attention.step(of_rows(x, from, to).slice(1, 0, 4), {});
        return attention.step(of_rows(x, from, to).slice(1, 4, 6), first.cache).output;
      });
    }
}

TEST_CASE("parts of a batch draw what the whole draws: a Transformer") {
  nn::Transformer transformer(
      {.d_model = size, .nhead = 2, .num_encoder_layers = 2, .num_decoder_layers = 2, .dim_feedforward = 9, .dropout = 0.3});
  transformer.to(f64);
  const Tensor target = uniform({rows, 5, size}, -1, 1, 2);
  check_parts(rows, [&](std::int64_t from, std::int64_t to) {
    const AttentionMask source{.lengths = of_rows(lengths, from, to)};
    return transformer(of_rows(x, from, to), of_rows(target, from, to), nn::TransformerMasks{source, {}, source});
  });
}
