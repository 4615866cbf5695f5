#include "weft/nn/transformer.hpp"

#include "base/fail.hpp"
#include "nn/padding.hpp"
#include "ops/mask_dtype.hpp"
#include "weft/ops/elementwise.hpp"
#include "weft/ops/index.hpp"
#include "weft/ops/reduce.hpp"

namespace weft::nn {
namespace {

template <class Layer>
void fill(List<Layer>& layers, const TransformerStackOptions& options, const char* op) {
  check<ValueError>(options.num_layers > 0, op, "num_layers is {}; it must be positive", options.num_layers);
  for (std::int64_t i = 0; i < options.num_layers; ++i) layers.emplace(options.layer);
}

void add_norm(std::optional<LayerNorm>& norm, const TransformerStackOptions& options, ModuleBase* owner) {
  if (options.norm)
    norm.emplace(LayerNormOptions{.normalized_shape = options.layer.d_model, .eps = options.layer.layer_norm_eps},
                 Scope{owner, "norm"});
}

TransformerStackOptions stack_of(const TransformerOptions& o, std::int64_t layers) {
  return {.layer = {.d_model = o.d_model,
                    .nhead = o.nhead,
                    .dim_feedforward = o.dim_feedforward,
                    .dropout = o.dropout,
                    .activation = o.activation,
                    .layer_norm_eps = o.layer_norm_eps,
                    .norm_first = o.norm_first,
                    .weight_init = init::xavier_uniform(),
                    .mixing = o.mixing,
                    .kernel_size = o.kernel_size,
                    .reach = o.reach,
                    .kv_heads = o.kv_heads,
                    .positions = o.positions,
                    .normaliser = o.normaliser,
                    .max_span = o.max_span},
          .num_layers = layers,
          .norm = true};
}

Tensor rows_of(const Tensor& x, const Tensor& index) { return x.defined() ? index_select(x, 0, index).value() : x; }

// A mask for steps: its rows can be chosen, and it doesn't tell queries apart, which come one by one.
void check_remembered(const Var& memory, const AttentionMask& mask) {
  constexpr const char* op = "TransformerDecoder";
  check<ValueError>(memory.defined(), op, "the memory isn't given");
  check<ShapeError>(memory.rank() == 3, op, "the memory {} is not [batch, places, d_model]", memory.value());
  check<ValueError>(
      !mask.causal, op,
      "the memory's mask is causal, which steps can't be; give forward all places at once, or lengths or `allowed`");
  if (!mask.allowed.defined()) return;
  check_mask_dtype(op, "the memory's mask", mask.allowed);
  const bool fits = mask.allowed.rank() == 4 && mask.allowed.size(0) == memory.size(0) && mask.allowed.size(2) == 1 &&
                    (mask.allowed.size(3) == 1 || mask.allowed.size(3) == memory.size(1));
  check<ShapeError>(fits, op,
                    "the memory's mask {} must be [batch, heads or 1, 1, places or 1] for memory {}: its rows are chosen, and "
                    "it is the same for every step",
                    mask.allowed, memory.value());
}

PoolVector<AttentionCache> chosen(const PoolVector<AttentionCache>& layers, const Tensor& index) {
  PoolVector<AttentionCache> result;
  for (const AttentionCache& layer : layers) result.push_back(layer.select(index));
  return result;
}

}  // namespace

TransformerMemory TransformerMemory::select(const Tensor& index) const {
  return {chosen(layers, index), {rows_of(mask.allowed, index), rows_of(mask.lengths, index), mask.causal}};
}

TransformerState TransformerState::select(const Tensor& index) const { return {chosen(layers, index), count}; }

TransformerEncoder::TransformerEncoder(const TransformerStackOptions& options, const Scope& scope)
    : Module(scope), layers({this, "layers"}) {
  fill(layers, options, "TransformerEncoder");
  add_norm(norm, options, this);
}

Var TransformerEncoder::forward(const Var& x, const AttentionMask& mask) {
  Var y = without_padding(x, mask.lengths, "TransformerEncoder");
  for (TransformerEncoderLayer& layer : layers) y = layer(y, mask, Padding::finite);
  return norm ? (*norm)(y) : y;
}

TransformerStep TransformerEncoder::step(const Var& x, const TransformerState& state) {
  return run([&] {
    check<ValueError>(state.layers.empty() || state.layers.size() == layers.size(), "TransformerEncoder",
                      "a state of {} layers for an encoder of {}", state.layers.size(), layers.size());
    TransformerStep result{x, {}, {}};
    for (std::size_t i = 0; i < layers.size(); ++i) {
      MixingStep step = layers[i].step(result.output, state.layers.empty() ? AttentionCache{} : state.layers[i]);
      result.output = std::move(step.output);
      result.state.layers.push_back(std::move(step.cache));
    }
    if (norm) result.output = (*norm)(result.output);
    result.state.count = state.count + x.size(1);
    return result;
  });
}

TransformerDecoder::TransformerDecoder(const TransformerStackOptions& options, const Scope& scope)
    : Module(scope), layers({this, "layers"}) {
  fill(layers, options, "TransformerDecoder");
  add_norm(norm, options, this);
}

Var TransformerDecoder::forward(const Var& x, const Var& memory, const AttentionMask& mask, const AttentionMask& memory_mask) {
  const Var places = without_padding(memory, memory_mask.lengths, "TransformerDecoder");
  Var y = without_padding(x, mask.lengths, "TransformerDecoder");
  for (TransformerDecoderLayer& layer : layers) y = layer(y, places, mask, memory_mask, Padding::finite);
  return norm ? (*norm)(y) : y;
}

TransformerMemory TransformerDecoder::remember(const Var& memory, const AttentionMask& memory_mask) {
  const ModuleScope scope(*this);
  check_remembered(memory, memory_mask);
  TransformerMemory result{{}, memory_mask};
  Var places = without_padding(memory, memory_mask.lengths, "TransformerDecoder");
  if (memory_mask.allowed.defined())
    places = where(any(memory_mask.allowed, {1, 2}).unsqueeze(2), places, Var::scalar(0, places.dtype()));
  for (TransformerDecoderLayer& layer : layers) result.layers.push_back(layer.multihead_attn.remember(places, places));
  return result;
}

TransformerStep TransformerDecoder::step(const Var& x, const TransformerMemory& memory, const TransformerState& state,
                                         AttentionWeights weights) {
  return run([&] {
    check<ValueError>(memory.layers.size() == layers.size() && (state.layers.empty() || state.layers.size() == layers.size()),
                      "TransformerDecoder", "a memory of {} and a state of {} layers for a decoder of {}", memory.layers.size(),
                      state.layers.size(), layers.size());
    TransformerStep result{x, {}, {}};
    for (std::size_t i = 0; i < layers.size(); ++i) {
      const bool last = i + 1 == layers.size();
      TransformerDecoderLayerStep step =
          layers[i].step(result.output, state.layers.empty() ? AttentionCache{} : state.layers[i], memory.layers[i],
                         memory.mask, last ? weights : AttentionWeights::none);
      result.output = std::move(step.output);
      result.state.layers.push_back(std::move(step.cache));
      result.weights = std::move(step.weights);
    }
    if (norm) result.output = (*norm)(result.output);
    result.state.count = state.count + x.size(1);
    return result;
  });
}

Transformer::Transformer(const TransformerOptions& options, const Scope& scope)
    : Module(scope),
      encoder(stack_of(options, options.num_encoder_layers), {this, "encoder"}),
      decoder(stack_of(options, options.num_decoder_layers), {this, "decoder"}) {}

Var Transformer::forward(const Var& source, const Var& target, const TransformerMasks& masks) {
  return decoder(target, encoder(source, masks.source), masks.target, masks.memory);
}

}  // namespace weft::nn
