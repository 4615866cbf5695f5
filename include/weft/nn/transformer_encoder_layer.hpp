#pragma once
#include <array>
#include <cstdint>
#include <memory>
#include <string>

#include "weft/nn/dropout.hpp"
#include "weft/nn/layer_norm.hpp"
#include "weft/nn/linear.hpp"
#include "weft/nn/multihead_attention.hpp"

namespace weft::nn {

enum class TransformerActivation : std::uint8_t { relu, gelu };

/// What lets a layer's places see each other: MultiheadAttention, LightweightConv, DynamicConv, LinearAttention,
/// GatedAttentionUnit, or SparseSelfAttention within blocks, at every l-th place or in a window.
enum class Mixing : std::uint8_t { attention, light, dynamic, linear, gated, block_local, strided, window };

/// As checkpoints and command lines have them, in the order of the kinds.
inline constexpr std::array mixing_names = {"attention", "light",       "dynamic", "linear",
                                            "gated",     "block_local", "strided", "window"};
std::string name_of(Mixing mixing);

/// Of a layer of a Transformer, encoder or decoder; the defaults are PyTorch's.
struct TransformerLayerOptions {
  std::int64_t d_model = 0;
  std::int64_t nhead = 0;
  std::int64_t dim_feedforward = 2048;
  double dropout = 0.1;  ///< on attention weights, inside the feed-forward part and behind each part; below 1
  TransformerActivation activation = TransformerActivation::relu;
  double layer_norm_eps = 1e-5;
  bool norm_first = false;               ///< normalise what goes into each part instead of the sums
  std::optional<Init> weight_init = {};  ///< of out_proj and the feed-forward part; none: PyTorch's
  Mixing mixing = Mixing::attention;     ///< of the places of one sequence; attention to a memory is always MultiheadAttention
  std::int64_t kernel_size = 7;          ///< of light and dynamic mixing
  std::int64_t reach = 8;     ///< l: places of a block (block_local), from one to the next (strided), on each side (window)
  std::int64_t kv_heads = 0;  ///< of attention, to itself or to a memory, as MultiheadAttention's
  // What follows needs Mixing::attention.
  AttentionPositions positions = AttentionPositions::none;  ///< of attention to itself
  Normaliser normaliser = Normaliser::softmax;              ///< of the weights of attention to itself and to a memory
  std::int64_t max_span = 0;  ///< of attention to itself alone, as MultiheadAttention's; adaptive_spans gives the losses
};

/// Self-attention and a feed-forward part, each with a residual connection and layer normalisation (Vaswani et al. 2017),
/// with PyTorch's parameter names and first values. Masks as in MultiheadAttention: true where a query may attend. Another
/// mixing takes the self-attention's place and name; light, dynamic, linear and sparse ones take lengths and `causal` alone. A
/// gated one has queries and keys of d_model / nhead and gates of twice d_model.
class TransformerEncoderLayer : public Module<TransformerEncoderLayer> {
 public:
  /// Throws what the parts refuse, ValueError for positions, a normaliser or a span of another mixing than attention.
  explicit TransformerEncoderLayer(const TransformerLayerOptions& options, const Scope& scope = {});

  /// x [batch, places, d_model] -> the same. What stands behind the lengths counts as zeros; what comes out there is finite
  /// and means nothing.
  Var forward(const Var& x, const AttentionMask& mask = {}, Padding padding = Padding::anything);
  /// New places x [rows, new places, d_model] behind those of the cache: what forward gives there with {.causal = true}.
  MixingStep step(const Var& x, const AttentionCache& cache);

  std::unique_ptr<PlaceMixing> self_attn;  ///< MultiheadAttention, or as `mixing` says
  Linear linear1, linear2;
  LayerNorm norm1, norm2;

 private:
  Var feed_forward(const Var& x);

  Dropout dropout_;
  TransformerActivation activation_;
  bool norm_first_;
};

}  // namespace weft::nn
