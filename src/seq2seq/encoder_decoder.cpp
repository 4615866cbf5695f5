#include "weft/seq2seq/encoder_decoder.hpp"

#include <algorithm>
#include <cmath>

#include "base/fail.hpp"
#include "base/named.hpp"
#include "kernels/packing.hpp"
#include "ops/lengths.hpp"
#include "weft/autograd/tape.hpp"
#include "weft/ops/comparison.hpp"
#include "weft/ops/elementwise.hpp"
#include "weft/ops/index.hpp"
#include "weft/ops/loss.hpp"
#include "weft/ops/reduce.hpp"
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
  check<ValueError>(!o.copy || o.source_vocabulary == o.target_vocabulary, where,
                    "copy needs one vocabulary, not {} and {} tokens", o.source_vocabulary, o.target_vocabulary);
  check<ValueError>(o.attention != AttentionKind::none || (!o.copy && o.coverage_weight == 0), where,
                    "copy and coverage_weight need attention, which is none");
  const bool softmax = o.normaliser == nn::Normaliser::softmax;
  check<ValueError>(softmax || o.attention != AttentionKind::none, where,
                    "normaliser {} needs attention, which is none; leave it at softmax", name_of(o.normaliser));
  check<ValueError>(!o.make_attention || (softmax && o.attention == AttentionKind::general), where,
                    "make_attention is there and attention {} with normaliser {}: leave them as they were (general, softmax)",
                    name_of(o.attention), name_of(o.normaliser));
  check<ValueError>(softmax || !o.copy, where,
                    "copy needs the normaliser softmax, not {}: a word of the source alone whose weight is 0 can't be learned",
                    name_of(o.normaliser));
  const bool local = o.attention == AttentionKind::local_m || o.attention == AttentionKind::local_p;
  check<ValueError>(!local || !o.copy, where,
                    "copy needs an attention that sees every place, not {}: a word of the source alone outside of its window "
                    "can't be learned",
                    name_of(o.attention));
  check<ValueError>(std::isfinite(o.coverage_weight) && o.coverage_weight >= 0, where,
                    "coverage_weight is {}; it must be finite and not negative", o.coverage_weight);
  return o;
}

std::unique_ptr<nn::attention::Attention> make_attention(const EncoderDecoderOptions& o, const nn::Scope& scope) {
  using namespace nn::attention;
  if (o.make_attention) {
    auto own = o.make_attention(scope);
    check<ValueError>(own != nullptr, "EncoderDecoder", "make_attention made none");
    return own;
  }
  const std::int64_t n = o.hidden;
  const nn::Normaliser normaliser = o.normaliser;
  switch (o.attention) {
    case AttentionKind::none: break;
    case AttentionKind::dot: return std::make_unique<Dot>(DotOptions{.normaliser = normaliser}, scope);
    case AttentionKind::scaled_dot: return std::make_unique<Dot>(DotOptions{.scaled = true, .normaliser = normaliser}, scope);
    case AttentionKind::general:
      return std::make_unique<General>(GeneralOptions{.query_dim = n, .key_dim = n, .normaliser = normaliser}, scope);
    case AttentionKind::additive:
      return std::make_unique<Additive>(AdditiveOptions{.query_dim = n, .key_dim = n, .hidden = n, .normaliser = normaliser},
                                        scope);
    case AttentionKind::concat:
      return std::make_unique<Concat>(ConcatOptions{.query_dim = n, .key_dim = n, .hidden = n, .normaliser = normaliser},
                                      scope);
    case AttentionKind::cosine:
      return std::make_unique<Cosine>(CosineOptions{.temperature = 0.1, .learned = true, .normaliser = normaliser}, scope);
    case AttentionKind::location:
      return std::make_unique<Location>(LocationOptions{.query_dim = n, .key_dim = n, .hidden = n, .normaliser = normaliser},
                                        scope);
    case AttentionKind::coverage:
      return std::make_unique<Coverage>(CoverageOptions{.query_dim = n, .key_dim = n, .hidden = n, .normaliser = normaliser},
                                        scope);
    case AttentionKind::local_m:
      return std::make_unique<LocalM>(LocalOptions{.query_dim = n, .key_dim = n, .window = o.window, .normaliser = normaliser},
                                      scope);
    case AttentionKind::local_p:
      return std::make_unique<LocalP>(
          LocalPOptions{.query_dim = n, .key_dim = n, .hidden = n, .window = o.window, .normaliser = normaliser}, scope);
    case AttentionKind::multi_head:
      return std::make_unique<MultiHead>(MultiHeadOptions{.query_dim = n, .heads = o.heads, .normaliser = normaliser}, scope);
  }
  return nullptr;
}

// [tokens, n] at the tokens' places [rows, steps, n], zeros elsewhere.
Var in_place(const Var& x, const Tensor& places, const Batch& batch) {
  const std::int64_t rows = batch.target_out.size(0), steps = batch.target_out.size(1), width = x.size(1);
  return reshape(index_add(Tensor::zeros({rows * steps, width}, x.dtype()), 0, places, x), {rows, steps, width});
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
  if (options_.copy)
    copy_.emplace(
        nn::attention::PointerGeneratorOptions{
            .context_dim = options_.hidden, .state_dim = options_.hidden, .input_dim = options_.embedding},
        nn::Scope{this, "copy"});
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
  return embedding(embeddable(source.ids));
}

EncoderDecoder::Start EncoderDecoder::start(const Padded& source) {
  const Var embedded = embed_source(source);
  const nn::LSTMOutput encoded = encoder_(options_.source_size > 0 ? embedded : dropout_(embedded), source.lengths);
  const std::int64_t rows = encoded.output.size(0);
  Start result;
  if (attention_) {
    const Tensor lengths = checked_lengths("EncoderDecoder", source.lengths, "source", source.cells(), 1);
    const Tensor mask = lengths.defined() ? sequence_mask(lengths, encoded.output.size(1)) : Tensor();
    result.memory = attention_->remember(encoded.output, encoded.output, mask);
  }
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
  Encoded result{{{}, source.lengths}, {}};
  if (attention_) result.memory.values = {first.memory.keys, first.memory.values, Var(first.memory.mask)};
  if (copy_) result.memory.values.push_back(Var(source.ids.to(i64)));
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
  const std::size_t carried_values = 2 * decoder_.size() + (options_.input_feeding ? 3U : 2U),
                    remembered = (attention_ ? 3U : 0U) + (copy_ ? 1U : 0U);
  check<ValueError>(state.values.size() == carried_values && memory.values.size() == remembered, "EncoderDecoder",
                    "a memory of {} values and a state of {} for a decoder whose encode gives {} and {}", memory.values.size(),
                    state.values.size(), remembered, carried_values);
  State unpacked;
  for (std::size_t layer = 0; layer < decoder_.size(); ++layer)
    unpacked.layers.push_back({state.values[2 * layer], state.values[2 * layer + 1]});
  const Var* carried = &state.values[2 * decoder_.size()];
  unpacked.attention = {carried[0], carried[1].value()};
  if (options_.input_feeding) unpacked.feed = state.values.back();
  nn::AttentionMemory attended;
  if (attention_) attended = {memory.values[0], memory.values[1], memory.values[2].value()};
  auto [after, outlook] = advance(attended, unpacked, embed_target(tokens));
  std::int64_t width = 0;
  if (copy_) {
    const Tensor& ids = memory.values[3].value();
    const std::int64_t rows = tokens.size(0), places = ids.size(1), each = rows / ids.size(0);
    outlook.source = ids.unsqueeze(1).expand({ids.size(0), each, places}).reshape({rows, places});
    width = extended(ids);
  }
  return {packed(after), features(outlook, width), std::move(outlook.weights)};
}

EncoderDecoder::Step EncoderDecoder::advance(const nn::AttentionMemory& memory, const State& state, const Var& embedded) {
  Step result;
  Var input = options_.input_feeding ? concat({embedded, state.feed}, 1) : embedded;
  for (std::size_t layer = 0; layer < decoder_.size(); ++layer) {
    if (layer > 0) input = dropout_(input);
    result.state.layers.push_back(decoder_[layer](input, state.layers[layer]));
    input = result.state.layers.back().h;
  }
  Outlook& outlook = result.outlook;
  outlook.h = input;
  outlook.embedded = embedded;
  Var seen = input;
  if (attention_) {  // in a search several rows look at one sentence
    nn::AttentionOutput attended = (*attention_)(unsqueeze(input, 1), memory, state.attention);
    outlook.weights = squeeze(attended.weights, 1);
    outlook.context = squeeze(attended.context, 1);
    result.state.attention = std::move(attended.state);
    seen = concat({outlook.context, input}, 1);
  }
  outlook.attentional = dropout_(tanh(combine_(seen)));
  if (options_.input_feeding) result.state.feed = outlook.attentional;
  return result;
}

Var EncoderDecoder::embed_target(const Tensor& ids) { return dropout_(target_embedding_(embeddable(ids))); }

Tensor EncoderDecoder::embeddable(const Tensor& ids) const {
  if (!copy_) return ids;
  return where(lt(Var(ids), static_cast<double>(options_.target_vocabulary)), Var(ids), Var::scalar(unknown_id, ids.dtype()))
      .value();
}

std::int64_t EncoderDecoder::extended(const Tensor& source) const {
  const Tensor ids = source.to(i64).contiguous();
  std::int64_t size = options_.target_vocabulary;
  const std::int64_t* id = ids.data<std::int64_t>();
  for (std::int64_t i = 0; i < ids.numel(); ++i) size = std::max(size, id[i] + 1);
  check<IndexError>(size <= options_.target_vocabulary + ids.size(1), "EncoderDecoder",
                    "source ids {}: {} is too large, a row of {} places numbers its further words from {} to {} at most",
                    source, size - 1, ids.size(1), options_.target_vocabulary, options_.target_vocabulary + ids.size(1) - 1);
  return size;
}

Var EncoderDecoder::logits(const Var& attentional) {
  return output_ ? (*output_)(attentional) : target_embedding_.project(attentional);
}

nn::attention::PointerGeneratorInput EncoderDecoder::to_copy(const Outlook& outlook, std::int64_t extended) {
  const auto step = [](const Var& x) { return unsqueeze(x, 1); };
  return {
      step(outlook.context), step(outlook.h), step(outlook.embedded), step(logits(outlook.attentional)), step(outlook.weights),
      outlook.source,        extended};
}

Var EncoderDecoder::features(const Outlook& outlook, std::int64_t extended) {
  return copy_ ? squeeze(copy_->log_probabilities(to_copy(outlook, extended)), 1) : outlook.attentional;
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
EncoderDecoder::Outlooks EncoderDecoder::look_ahead(const Batch& batch) {
  const std::int64_t steps = batch.target_in.size(1);
  std::int64_t rows = batch.target_in.size(0);
  const kernels::Packing packing(batch.target_lengths, rows, steps);
  const auto in_order = [&packing](const Tensor& x) { return x.defined() ? packing.sort(x) : x; };
  const Tensor ids = in_order(batch.source.ids);
  auto [memory, state] = start({ids, in_order(batch.source.lengths), in_order(batch.source.features)});
  const Var embedded = embed_target(packing.sort(batch.target_in));
  PoolVector<Var> attentional, weights, contexts, hs, tokens;
  Tensor places = Tensor::empty({batch.target_tokens}, i64), sorted = Tensor::empty({batch.target_tokens}, i64);
  auto *place = places.mutable_data<std::int64_t>(), *from = sorted.mutable_data<std::int64_t>();
  for (std::int64_t t = 0; packing.rows(t) > 0; ++t) {  // behind the last step there are none
    const std::int64_t going_on = packing.rows(t);
    if (going_on <= rows - (rows + 7) / 8) {  // a cut has its price
      rows = going_on;
      keep_first(rows, memory, state);
    }
    auto [after, outlook] = advance(memory, state, first_rows(select(embedded, 1, t), rows));
    const auto keep = [going_on](PoolVector<Var>& all, const Var& one) { all.push_back(first_rows(one, going_on)); };
    keep(attentional, outlook.attentional);
    if (copy_ || options_.coverage_weight > 0) keep(weights, outlook.weights);
    if (copy_) {
      keep(contexts, outlook.context);
      keep(hs, outlook.h);
      keep(tokens, outlook.embedded);
    }
    for (std::int64_t row = 0; row < going_on; ++row) {
      *place++ = packing.order()[row] * steps + t;
      *from++ = row;
    }
    state = std::move(after);
  }
  const auto joined = [](const PoolVector<Var>& all) { return all.empty() ? Var() : concat(all, 0); };
  Outlooks result{{joined(attentional), joined(weights), joined(contexts), joined(hs), joined(tokens), {}}, places};
  if (copy_) result.outlook.source = index_select(Var(ids.to(i64)), 0, sorted).value();
  return result;
}

Model::Reading EncoderDecoder::read(const Batch& batch) {
  const auto [outlook, places] = look_ahead(batch);
  return {features(outlook, copy_ ? extended(batch.source.ids) : 0), places};
}

Var EncoderDecoder::loss_of(const Batch& batch, double label_smoothing) {
  const bool covers = options_.coverage_weight > 0 && training();
  if (!copy_ && !covers) return Model::loss_of(batch, label_smoothing);
  check<ValueError>(!copy_ || label_smoothing == 0, "EncoderDecoder", "label_smoothing is {}; a model that copies has none",
                    label_smoothing);
  const auto [outlook, places] = look_ahead(batch);
  const Tensor targets = index_select(Var(batch.target_out.reshape({-1})), 0, places).value();
  Var loss = copy_ ? copy_->loss(to_copy(outlook, extended(batch.source.ids)), targets.unsqueeze(1))
                   : cross_entropy(logits(outlook.attentional), targets, {.label_smoothing = label_smoothing});
  if (covers) {
    const Var weights = in_place(outlook.weights, places, batch);
    loss = loss + options_.coverage_weight * nn::attention::coverage_loss(weights, batch.target_lengths);
  }
  return loss;
}

EncoderDecoder::Copying EncoderDecoder::copying(const Batch& batch) {
  check<ValueError>(copy_.has_value(), "EncoderDecoder", "there is no copying in a model without it (options.copy)");
  const NoGrad nothing_recorded;
  const Batch sound = checked_batch(batch);
  const auto [outlook, places] = look_ahead(sound);
  const Tensor targets = index_select(Var(sound.target_out.reshape({-1})), 0, places).value().to(i64).unsqueeze(1);
  const auto in = to_copy(outlook, extended(sound.source.ids));
  const Var generate = (*copy_)(in).generate;
  const Var whole = copy_->loss(in, targets, -100, LossReduction::none);
  const Var weight =
      sum(where(eq(Var(outlook.source), Var(targets)), outlook.weights, Var::scalar(0, generate.dtype())), {1}, true);
  const Var copied = (1 - generate) * weight / exp(-whole);
  const auto steps = [&, &at = places](const Var& x) { return squeeze(in_place(x, at, sound), 2).value(); };
  return {in_place(outlook.weights, places, sound).value(), steps(generate), steps(copied)};
}

}  // namespace weft::seq2seq
