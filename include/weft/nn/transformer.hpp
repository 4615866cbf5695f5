#pragma once
#include <cstdint>
#include <optional>

#include "weft/nn/list.hpp"
#include "weft/nn/transformer_decoder_layer.hpp"
#include "weft/nn/transformer_encoder_layer.hpp"
#include "weft/tensor/pool_vector.hpp"

namespace weft::nn {

struct TransformerStackOptions {
  TransformerLayerOptions layer = {};
  std::int64_t num_layers = 0;
  bool norm = false;  ///< layer normalisation of what the last layer gives
};

/// Where a stack of layers stands that gets its places one by one: how many places there were, and what each layer's mixing
/// keeps of them. A value, so that beams can be chosen among and carried; a fresh one stands at the beginning.
struct TransformerState {
  PoolVector<AttentionCache> layers;
  std::int64_t count = 0;
  std::int64_t places() const { return count; }
  TransformerState select(const Tensor& index) const;
};

struct TransformerStep {
  Var output;  ///< [rows, new places, d_model]
  TransformerState state;
  Var weights;  ///< of a decoder: of the last layer's attention to the memory, as asked for
};

/// Encoder layers on top of each other, under PyTorch's names: layers.0, layers.1, ..., norm. Masks say true where a query may
/// attend. What stands behind the lengths counts as zeros.
class TransformerEncoder : public Module<TransformerEncoder> {
 public:
  /// Throws ValueError without layers.
  explicit TransformerEncoder(const TransformerStackOptions& options, const Scope& scope = {});

  /// x [batch, places, d_model] -> the same.
  Var forward(const Var& x, const AttentionMask& mask = {});
  /// Place by place, each worked out once, as a language model writes: gives what forward gives with {.causal = true}.
  TransformerStep step(const Var& x, const TransformerState& state);

  List<TransformerEncoderLayer> layers;
  std::optional<LayerNorm> norm;
};

/// What each layer of a decoder sees of the memory, made once for all steps.
struct TransformerMemory {
  PoolVector<AttentionCache> layers;
  AttentionMask mask;  ///< lengths [rows] and what is allowed, [rows, heads or 1, 1, places or 1]
  /// The rows `index` (i64) of all of it.
  TransformerMemory select(const Tensor& index) const;
};

/// Decoder layers on top of each other, under PyTorch's names. A mask that is given takes the place of the causal one, so a
/// causal decoder says it again:
///   Var y = decoder(x, memory, AttentionMask{.lengths = lengths, .causal = true});
class TransformerDecoder : public Module<TransformerDecoder> {
 public:
  /// Throws ValueError without layers.
  explicit TransformerDecoder(const TransformerStackOptions& options, const Scope& scope = {});

  /// All places at once: x [batch, places, d_model], memory [batch, memory places, d_model] -> as x.
  Var forward(const Var& x, const Var& memory, const AttentionMask& mask = {.causal = true},
              const AttentionMask& memory_mask = {});

  /// Place by place, each worked out once: gives what forward gives with {.causal = true} as mask and the same memory mask.
  /// That one must be the same for all queries: ValueError for a causal one, ShapeError for an `allowed` that isn't [batch,
  /// heads or 1, 1, memory places or 1]. The state's rows may be a multiple of the memory's, several next to each other for
  /// each.
  TransformerMemory remember(const Var& memory, const AttentionMask& memory_mask = {});
  TransformerStep step(const Var& x, const TransformerMemory& memory, const TransformerState& state,
                       AttentionWeights weights = AttentionWeights::none);

  List<TransformerDecoderLayer> layers;
  std::optional<LayerNorm> norm;
};

struct TransformerOptions {
  std::int64_t d_model = 512;
  std::int64_t nhead = 8;
  std::int64_t num_encoder_layers = 6;
  std::int64_t num_decoder_layers = 6;
  std::int64_t dim_feedforward = 2048;
  double dropout = 0.1;
  TransformerActivation activation = TransformerActivation::relu;
  double layer_norm_eps = 1e-5;
  bool norm_first = false;
  Mixing mixing = Mixing::attention;  ///< this and what follows as in TransformerLayerOptions
  std::int64_t kernel_size = 7;
  std::int64_t reach = 8;
  std::int64_t kv_heads = 0;
  AttentionPositions positions = AttentionPositions::none;
  Normaliser normaliser = Normaliser::softmax;
  std::int64_t max_span = 0;
};

/// Of the source's attention to itself, the target's to itself, and the target's to the memory.
struct TransformerMasks {
  AttentionMask source = {}, target = {.causal = true}, memory = {};
};

/// Encoder and decoder, both with a last normalisation, with PyTorch's parameter names and first values: every matrix starts
/// as Glorot's (xavier_uniform). Embeddings are the caller's, and so are
/// positions but those of `positions`.
class Transformer : public Module<Transformer> {
 public:
  explicit Transformer(const TransformerOptions& options = {}, const Scope& scope = {});

  /// source [batch, n, d_model], target [batch, m, d_model] -> [batch, m, d_model]
  Var forward(const Var& source, const Var& target, const TransformerMasks& masks = {});

  TransformerEncoder encoder;
  TransformerDecoder decoder;
};

}  // namespace weft::nn
