#include "weft/seq2seq/transformer.hpp"

#include <cmath>

#include "base/fail.hpp"
#include "weft/ops/elementwise.hpp"
#include "weft/ops/index.hpp"
#include "weft/ops/shape.hpp"

namespace weft::seq2seq {
namespace {

TransformerOptions checked(const TransformerOptions& o) {
  const char* where = "Transformer";
  check<ValueError>(o.source_vocabulary > 0 && o.target_vocabulary > 0, where,
                    "vocabularies of {} and {} tokens; both must be known", o.source_vocabulary, o.target_vocabulary);
  check<ValueError>(
      o.width > 0 && (o.positions != Positions::sinusoid || o.width % 2 == 0) && o.heads > 0 && o.width % o.heads == 0, where,
      "width {} and {} heads: both must be positive, the width even (sines and cosines) and a multiple of the heads", o.width,
      o.heads);
  check<ValueError>(o.positions != Positions::learned || o.max_positions > 0, where, "max_positions is {}; it must be positive",
                    o.max_positions);
  check<ValueError>(o.feed_forward > 0 && o.encoder_layers > 0 && o.decoder_layers > 0, where,
                    "feed_forward {}, {} encoder and {} decoder layers; each must be positive", o.feed_forward,
                    o.encoder_layers, o.decoder_layers);
  check<ValueError>(!o.share_embeddings || o.source_vocabulary == o.target_vocabulary, where,
                    "share_embeddings needs one vocabulary, not {} and {} tokens", o.source_vocabulary, o.target_vocabulary);
  check<ValueError>(std::isfinite(o.span_weight) && o.span_weight >= 0, where,
                    "span_weight is {}; it must be finite and not negative", o.span_weight);
  return o;
}

// Embeddings of length 1, so that the tied output starts with logits near 0.
nn::EmbeddingOptions embedding_options(const TransformerOptions& o, std::int64_t vocabulary) {
  return {.num_embeddings = vocabulary,
          .embedding_dim = o.width,
          .padding_idx = pad_id,
          .weight_init = nn::init::normal(0, 1 / std::sqrt(static_cast<double>(o.width)))};
}

nn::AttentionPositions attention_positions(Positions positions) {
  switch (positions) {
    case Positions::rotary: return nn::AttentionPositions::rotary;
    case Positions::alibi: return nn::AttentionPositions::alibi;
    case Positions::shaw: return nn::AttentionPositions::shaw;
    case Positions::t5: return nn::AttentionPositions::t5;
    case Positions::sinusoid:
    case Positions::learned: break;
  }
  return nn::AttentionPositions::none;
}

nn::TransformerOptions layer_options(const TransformerOptions& o) {
  return {.d_model = o.width,
          .nhead = o.heads,
          .num_encoder_layers = o.encoder_layers,
          .num_decoder_layers = o.decoder_layers,
          .dim_feedforward = o.feed_forward,
          .dropout = o.dropout,
          .norm_first = o.norm_first,
          .mixing = o.mixing,
          .kernel_size = o.kernel_size,
          .reach = o.reach,
          .kv_heads = o.kv_heads,
          .positions = attention_positions(o.positions),
          .normaliser = o.normaliser,
          .max_span = o.max_span};
}

PoolVector<Var> packed(const PoolVector<nn::AttentionCache>& layers) {
  PoolVector<Var> result;
  for (const nn::AttentionCache& layer : layers) result.insert(result.end(), {layer.keys, layer.values});
  return result;
}

PoolVector<nn::AttentionCache> unpacked(const PoolVector<Var>& values) {
  PoolVector<nn::AttentionCache> result;
  for (std::size_t i = 0; i + 1 < values.size(); i += 2) result.push_back({values[i], values[i + 1]});
  return result;
}

// The layers' values, and last the number of places, once a row, so that it can be chosen with them.
DecoderState packed(const nn::TransformerState& state, std::int64_t rows) {
  DecoderState result{packed(state.layers)};
  result.values.emplace_back(Tensor::full({rows}, static_cast<double>(state.count), i64));
  return result;
}

nn::TransformerState unpacked(const DecoderState& state) {
  if (state.values.empty()) return {};
  const Tensor& count = state.values.back().value();
  return {unpacked(state.values), count.numel() == 0 ? 0 : static_cast<std::int64_t>(count.at({0}))};
}

}  // namespace

Transformer::Transformer(const TransformerOptions& options, const nn::Scope& scope)
    : Model(scope),
      options_(checked(options)),
      target_embedding_(embedding_options(options, options.target_vocabulary), {this, "target_embedding"}),
      transformer_(layer_options(options), {this, "transformer"}),
      spans_(nn::adaptive_spans(transformer_)),
      dropout_({.p = options.dropout}, {this, "dropout"}) {
  if (options_.positions == Positions::sinusoid) sinusoids_.emplace(nn::Scope{this, "positions"});
  if (options_.positions == Positions::learned) {
    const nn::LearnedPositionsOptions learned{
        .max_length = options_.max_positions,
        .embedding_dim = options_.width,
        .weight_init = nn::init::normal(0, 1 / std::sqrt(static_cast<double>(options_.width)))};
    source_positions_.emplace(learned, nn::Scope{this, "source_positions"});
    target_positions_.emplace(learned, nn::Scope{this, "target_positions"});
  }
  if (!options_.share_embeddings)
    source_embedding_.emplace(embedding_options(options_, options_.source_vocabulary), nn::Scope{this, "source_embedding"});
  if (!options_.tie_output)
    output_.emplace(nn::LinearOptions{.in_features = options_.width, .out_features = options_.target_vocabulary},
                    nn::Scope{this, "output"});
}

Var Transformer::embedded(nn::Embedding& embedding, std::optional<nn::LearnedPositions>& learned, const Tensor& ids,
                          std::int64_t first) {
  const Var words = embedding(ids) * std::sqrt(static_cast<double>(options_.width));
  return dropout_(sinusoids_ ? (*sinusoids_)(words, first) : learned ? (*learned)(words, first) : words);
}

Var Transformer::embedded_source(const Tensor& ids) {
  return embedded(source_embedding_ ? *source_embedding_ : target_embedding_, source_positions_, ids, 0);
}

Var Transformer::embedded_target(const Tensor& ids, std::int64_t first) {
  return embedded(target_embedding_, target_positions_, ids, first);
}

Var Transformer::encoded(const Padded& source) {
  check<ShapeError>(source.ids.rank() == 2 && source.ids.size(0) > 0 && source.ids.size(1) > 0, "Transformer",
                    "source ids {} are not [rows, columns] with one of each at least", source.ids);
  return transformer_.encoder(embedded_source(source.ids), AttentionMask{.lengths = source.lengths});
}

Model::Encoded Transformer::encode(const Padded& source) {
  const nn::TransformerMemory memory = transformer_.decoder.remember(encoded(source), {.lengths = source.lengths});
  return {{packed(memory.layers), source.lengths}, {}};
}

DecoderStep Transformer::step(const DecoderMemory& memory, const DecoderState& state, const Tensor& tokens, bool attention) {
  const nn::TransformerState before = unpacked(state);
  const Var x = embedded_target(tokens.unsqueeze(1), before.places());
  nn::TransformerStep next = transformer_.decoder.step(x, {unpacked(memory.values), {.lengths = memory.lengths}}, before,
                                                       attention ? nn::AttentionWeights::averaged : nn::AttentionWeights::none);
  return {packed(next.state, tokens.size(0)), squeeze(next.output, 1), attention ? squeeze(next.weights, 1) : Var()};
}

Var Transformer::project(const Var& features) { return output_ ? (*output_)(features) : target_embedding_.project(features); }

// The target needs no lengths: its padding comes last, and earlier places see nothing of it.
Model::Reading Transformer::read(const Batch& batch) {
  const Var output = transformer_.decoder(embedded_target(batch.target_in, 0), encoded(batch.source),
                                          AttentionMask{.causal = true}, AttentionMask{.lengths = batch.source.lengths});
  return at_tokens(output, batch);
}

Var Transformer::loss_of(const Batch& batch, double label_smoothing) {
  Var loss = Model::loss_of(batch, label_smoothing);
  if (training())
    for (nn::AdaptiveSpan* span : spans_) loss = loss + options_.span_weight * span->loss();
  return loss;
}

}  // namespace weft::seq2seq
