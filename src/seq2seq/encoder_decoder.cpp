#include "weft/seq2seq/encoder_decoder.hpp"

#include <algorithm>

#include "base/fail.hpp"
#include "base/named.hpp"
#include "kernels/packing.hpp"
#include "weft/ops/elementwise.hpp"
#include "weft/ops/shape.hpp"

namespace weft::seq2seq {
namespace {

EncoderDecoderOptions checked(EncoderDecoderOptions o, bool reads_tokens) {
  const char* where = "EncoderDecoder";
  check<ValueError>(o.source_size >= 0 && (o.source_size == 0 || (o.source_vocabulary == 0 && !o.share_embeddings)), where,
                    "source_size {}, source_vocabulary {}: a source is features or tokens, and features share no embedding",
                    o.source_size, o.source_vocabulary);
  check<ValueError>((o.source_vocabulary > 0 || o.source_size > 0 || !reads_tokens) && o.target_vocabulary > 0, where,
                    "vocabularies of {} and {} tokens; both must be known", o.source_vocabulary, o.target_vocabulary);
  check<ValueError>(o.embedding > 0 && o.hidden > 0 && o.hidden % 2 == 0, where,
                    "embedding {} and hidden {}: both must be positive, hidden even (each direction has half)", o.embedding,
                    o.hidden);
  check<ValueError>(reads_tokens || !o.share_embeddings, where, "share_embeddings needs a source of tokens");
  check<ValueError>(o.encoder_layers > 0 && o.decoder_layers > 0, where,
                    "{} encoder and {} decoder layers; each needs one at least", o.encoder_layers, o.decoder_layers);
  check<ValueError>(!o.share_embeddings || o.source_vocabulary == o.target_vocabulary, where,
                    "share_embeddings needs one vocabulary, not {} and {} tokens", o.source_vocabulary, o.target_vocabulary);
  check<ValueError>(o.window > 0, where, "window is {}; it must be 1 or more", o.window);
  return o;
}

std::unique_ptr<nn::attention::Attention> make_attention(const EncoderDecoderOptions& o, const nn::Scope& scope) {
  using namespace nn::attention;
  const std::int64_t n = o.hidden;
  switch (o.attention) {
    case AttentionKind::none: break;
    case AttentionKind::dot: return std::make_unique<Dot>(DotOptions{}, scope);
    case AttentionKind::scaled_dot: return std::make_unique<Dot>(DotOptions{.scaled = true}, scope);
    case AttentionKind::general: return std::make_unique<General>(GeneralOptions{.query_dim = n, .key_dim = n}, scope);
    case AttentionKind::additive:
      return std::make_unique<Additive>(AdditiveOptions{.query_dim = n, .key_dim = n, .hidden = n}, scope);
    case AttentionKind::concat:
      return std::make_unique<Concat>(ConcatOptions{.query_dim = n, .key_dim = n, .hidden = n}, scope);
    case AttentionKind::cosine: return std::make_unique<Cosine>(CosineOptions{.temperature = 0.1, .learned = true}, scope);
    case AttentionKind::location:
      return std::make_unique<Location>(LocationOptions{.query_dim = n, .key_dim = n, .hidden = n}, scope);
    case AttentionKind::local_m:
      return std::make_unique<LocalM>(LocalOptions{.query_dim = n, .key_dim = n, .window = o.window}, scope);
    case AttentionKind::local_p:
      return std::make_unique<LocalP>(LocalPOptions{.query_dim = n, .key_dim = n, .hidden = n, .window = o.window}, scope);
    case AttentionKind::multi_head:
      return std::make_unique<MultiHead>(MultiHeadOptions{.query_dim = n, .heads = o.heads}, scope);
  }
  return nullptr;
}

Var first_rows(const Var& x, std::int64_t rows) { return x.size(0) == rows ? x : slice(x, 0, 0, rows); }

}  // namespace

std::string name_of(AttentionKind kind) { return attention_names[static_cast<std::size_t>(kind)]; }

AttentionKind attention_kind(const std::string& name) {
  return named<AttentionKind>(attention_names, "attention_kind", "attention", name);
}

EncoderDecoder::EncoderDecoder(const EncoderDecoderOptions& options, const nn::Scope& scope)
    : EncoderDecoder(options, Source::tokens, scope) {}

EncoderDecoder::EncoderDecoder(const EncoderDecoderOptions& options, Source source, const nn::Scope& scope)
    : Model(scope),
      options_(checked(options, source == Source::tokens)),
      target_embedding_(
          {.num_embeddings = options.target_vocabulary, .embedding_dim = options.embedding, .padding_idx = pad_id},
          {this, "target_embedding"}),
      encoder_(options.recurrent,
               {.input_size = options.source_size > 0 ? options.source_size : options.embedding,
                .hidden_size = options.hidden / 2,
                .num_layers = options.encoder_layers,
                .bidirectional = true,
                .dropout = options.encoder_layers > 1 ? options.dropout : 0},
               {this, "encoder"}),
      decoder_({this, "decoder"}),
      combine_({.in_features = (options.attention == AttentionKind::none ? 1 : 2) * options.hidden,
                .out_features = attention_size(),
                .bias = false},
               {this, "combine"}),
      dropout_({.p = options.dropout}, {this, "dropout"}) {
  if (source == Source::tokens && !options_.share_embeddings && options_.source_size == 0)
    source_embedding_.emplace(
        nn::EmbeddingOptions{
            .num_embeddings = options_.source_vocabulary, .embedding_dim = options_.embedding, .padding_idx = pad_id},
        nn::Scope{this, "source_embedding"});
  for (std::int64_t layer = 0; layer < options_.decoder_layers; ++layer) {
    const std::int64_t fed = options_.input_feeding ? attention_size() : 0;
    decoder_.emplace(options_.recurrent,
                     nn::RecurrentCellOptions{.input_size = layer == 0 ? options_.embedding + fed : options_.hidden,
                                              .hidden_size = options_.hidden});
  }
  attention_ = make_attention(options_, {this, "attention"});
  if (!options_.tie_output)
    output_.emplace(nn::LinearOptions{.in_features = attention_size(), .out_features = options_.target_vocabulary},
                    nn::Scope{this, "output"});
}

Var EncoderDecoder::embed_source(const Padded& source) {
  const std::int64_t size = options_.source_size;
  if (size > 0) {
    const Tensor& x = source.features;
    check<ValueError>(x.defined(), "EncoderDecoder", "the source has no features, of which this model has been made");
    check<ShapeError>(x.rank() == 3 && x.size(0) > 0 && x.size(1) > 0 && x.size(2) == size, "EncoderDecoder",
                      "source features {} are not [rows, columns, {}] with one of each at least", x, size);
    return x.to(target_embedding_.weight->value().dtype());
  }
  check<ShapeError>(source.ids.rank() == 2 && source.ids.size(0) > 0 && source.ids.size(1) > 0, "EncoderDecoder",
                    "source ids {} are not [rows, columns] with one of each at least", source.ids);
  nn::Embedding& embedding = source_embedding_ ? *source_embedding_ : target_embedding_;
  return embedding(source.ids);
}

EncoderDecoder::Start EncoderDecoder::start(const Padded& source) {
  const Var embedded = embed_source(source);
  const nn::LSTMOutput encoded = encoder_(options_.source_size > 0 ? embedded : dropout_(embedded), source.lengths);
  const std::int64_t rows = encoded.output.size(0);
  Start result;
  if (attention_) result.memory = attention_->remember(encoded.output, encoded.output, source.mask);
  for (std::int64_t layer = 0; layer < options_.decoder_layers; ++layer) {
    // Both directions of the encoder layer side by side; a deeper decoder starts from the last.
    const std::int64_t from = 2 * std::min(layer, options_.encoder_layers - 1);
    const auto both = [&](const Var& states) {
      return states.defined() ? concat({select(states, 0, from), select(states, 0, from + 1)}, 1) : states;
    };
    result.state.layers.push_back({both(encoded.h), both(encoded.c)});
  }
  if (options_.input_feeding) result.state.feed = Tensor::zeros({rows, attention_size()}, encoded.output.dtype());
  return result;
}

Model::Encoded EncoderDecoder::encode(const Padded& source) {
  Start first = start(source);
  Encoded result{{{}, source.mask, source.lengths}, {}};
  if (attention_) result.memory.values = {first.memory.keys, first.memory.values};
  result.state = packed(first.state);
  return result;
}

// The states' h and c (a GRU's undefined), layer by layer, what the attention carries (undefined where it carries nothing),
// then the attentional vector where it is fed.
DecoderState EncoderDecoder::packed(const State& state) {
  DecoderState result;
  for (const LSTMState& layer : state.layers) result.values.insert(result.values.end(), {layer.h, layer.c});
  result.values.push_back(state.attention.history);
  result.values.push_back(state.attention.position.defined() ? Var(state.attention.position) : Var());
  if (state.feed.defined()) result.values.push_back(state.feed);
  return result;
}

DecoderStep EncoderDecoder::step(const DecoderMemory& memory, const DecoderState& state, const Tensor& tokens,
                                 bool /*attention*/) {
  State unpacked;
  for (std::size_t layer = 0; layer < decoder_.size(); ++layer)
    unpacked.layers.push_back({state.values[2 * layer], state.values[2 * layer + 1]});
  const Var* carried = &state.values[2 * decoder_.size()];
  unpacked.attention = {carried[0], carried[1].value()};
  if (options_.input_feeding) unpacked.feed = state.values.back();
  nn::AttentionMemory attended;
  if (attention_) attended = {memory.values[0], memory.values[1], memory.mask};
  Step next = advance(attended, unpacked, embed_target(tokens));
  return {packed(next.state), std::move(next.attentional), std::move(next.weights)};
}

EncoderDecoder::Step EncoderDecoder::advance(const nn::AttentionMemory& memory, const State& state, const Var& embedded) {
  Step result;
  Var input = options_.input_feeding ? concat({embedded, state.feed}, 1) : embedded;
  for (std::size_t layer = 0; layer < decoder_.size(); ++layer) {
    if (layer > 0) input = dropout_(input);
    result.state.layers.push_back(decoder_[layer](input, state.layers[layer]));
    input = result.state.layers.back().h;
  }
  Var seen = input;
  if (attention_) {  // in a search several rows look at one sentence
    nn::AttentionOutput attended = (*attention_)(unsqueeze(input, 1), memory, state.attention);
    result.weights = squeeze(attended.weights, 1);
    result.state.attention = std::move(attended.state);
    seen = concat({squeeze(attended.context, 1), input}, 1);
  }
  result.attentional = dropout_(tanh(combine_(seen)));
  if (options_.input_feeding) result.state.feed = result.attentional;
  return result;
}

Var EncoderDecoder::embed_target(const Tensor& ids) { return dropout_(target_embedding_(ids)); }

Var EncoderDecoder::project(const Var& features) {
  return output_ ? (*output_)(features) : target_embedding_.project(features);
}

void EncoderDecoder::keep_first(std::int64_t rows, nn::AttentionMemory& memory, State& state) {
  const auto cut = [rows](Var& x) {
    if (x.defined()) x = first_rows(x, rows);
  };
  for (LSTMState& layer : state.layers) {
    cut(layer.h);
    cut(layer.c);
  }
  cut(state.feed);
  cut(state.attention.history);
  if (state.attention.position.defined()) state.attention.position = state.attention.position.slice(0, 0, rows);
  cut(memory.keys);
  cut(memory.values);
  if (memory.mask.defined()) memory.mask = memory.mask.slice(0, 0, rows);
}

// Rows go by falling length of the target, so that at each step those that go on are the first ones: where many have ended,
// the work of the step is cut to the others.
Model::Reading EncoderDecoder::read(const Batch& batch) {
  const std::int64_t steps = batch.target_in.size(1);
  std::int64_t rows = batch.target_in.size(0);
  const kernels::Packing packing(batch.target_lengths, rows, steps);
  const auto sorted = [&packing](const Tensor& x) { return x.defined() ? packing.sort(x) : x; };
  const Padded& source = batch.source;
  auto [memory, state] = start({sorted(source.ids), sorted(source.lengths), sorted(source.mask), sorted(source.features)});
  const Var embedded = embed_target(packing.sort(batch.target_in));
  PoolVector<Var> features;
  Tensor places = Tensor::empty({batch.target_tokens}, i64);
  auto* place = places.mutable_data<std::int64_t>();
  for (std::int64_t t = 0; packing.rows(t) > 0; ++t) {  // behind the last step there are none
    const std::int64_t going_on = packing.rows(t);
    if (going_on <= rows - (rows + 7) / 8) {  // a cut has its price
      rows = going_on;
      keep_first(rows, memory, state);
    }
    Step next = advance(memory, state, first_rows(select(embedded, 1, t), rows));
    features.push_back(first_rows(next.attentional, going_on));
    for (std::int64_t row = 0; row < going_on; ++row) *place++ = packing.order()[row] * steps + t;
    state = std::move(next.state);
  }
  return {concat(features, 0), places};
}

}  // namespace weft::seq2seq
