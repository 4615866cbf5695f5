#pragma once
#include <cstdint>
#include <memory>

#include "weft/nn/dropout.hpp"
#include "weft/nn/layer_norm.hpp"
#include "weft/nn/linear.hpp"
#include "weft/nn/multihead_attention.hpp"

namespace weft::nn {

enum class TransformerActivation : std::uint8_t { relu, gelu };

/// What lets a layer's places see each other: MultiheadAttention, LightweightConv, DynamicConv, LinearAttention.
enum class Mixing : std::uint8_t { attention, light, dynamic, linear };

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
  std::int64_t kv_heads = 0;             ///< of attention, to itself or to a memory, as MultiheadAttention's
  AttentionPositions positions = AttentionPositions::none;  ///< of attention to itself; needs Mixing::attention
};

/// Self-attention and a feed-forward part, each with a residual connection and layer normalisation (Vaswani et al. 2017),
/// with PyTorch's parameter names and first values. Masks as in MultiheadAttention: true where a query may attend. Another
/// mixing takes the self-attention's place and name.
class TransformerEncoderLayer : public Module<TransformerEncoderLayer> {
 public:
  /// Throws what the parts refuse, ValueError for positions of another mixing than attention.
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
