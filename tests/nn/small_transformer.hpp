#pragma once
#include "weft/nn/embedding.hpp"
#include "weft/nn/positional_encoding.hpp"
#include "weft/nn/transformer.hpp"
#include "weft/ops/comparison.hpp"

namespace weft::test {

struct SmallTransformerOptions {
  std::int64_t vocabulary = 9, width = 8, heads = 2, feed_forward = 12, longest = 8;
  double dropout = 0;
};

/// Encoder and decoder of one layer each, with learned positions and one embedding for everything.
class SmallTransformer : public nn::Module<SmallTransformer> {
 public:
  explicit SmallTransformer(const SmallTransformerOptions& o = {}, const nn::Scope& scope = {})
      : Module(scope),
        embed({.num_embeddings = o.vocabulary, .embedding_dim = o.width}, {this, "embed"}),
        positions({.max_length = o.longest, .embedding_dim = o.width, .weight_init = nn::init::normal()}, {this, "positions"}),
        transformer({.d_model = o.width,
                     .nhead = o.heads,
                     .num_encoder_layers = 1,
                     .num_decoder_layers = 1,
                     .dim_feedforward = o.feed_forward,
                     .dropout = o.dropout,
                     .activation = nn::TransformerActivation::gelu,
                     .norm_first = true},
                    {this, "transformer"}) {}

  /// Ids [batch, n] and [batch, m]; 0 is padding. Logits [batch, m, vocabulary].
  Var forward(const Tensor& source, const Tensor& target) {
    const AttentionMask places{.allowed = words_of(source)}, earlier{.allowed = words_of(target), .causal = true};
    return embed.project(
        transformer(positions(embed(source)), positions(embed(target)), nn::TransformerMasks{places, earlier, places}));
  }

 private:
  // bool [batch, 1, 1, n]
  static Tensor words_of(const Tensor& ids) { return ne(ids, 0).unsqueeze(1).unsqueeze(1); }

  nn::Embedding embed;
  nn::LearnedPositions positions;
  nn::Transformer transformer;
};

}  // namespace weft::test
