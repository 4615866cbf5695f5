#pragma once
#include <cstdint>
#include <optional>

#include "weft/nn/adaptive_span.hpp"
#include "weft/nn/linear.hpp"
#include "weft/nn/module.hpp"
#include "weft/nn/normaliser.hpp"
#include "weft/nn/place_mixing.hpp"
#include "weft/nn/relative_position.hpp"
#include "weft/nn/rotary_embedding.hpp"

namespace weft::nn {

/// How attention tells places apart, beside what is added to its input: not at all, or by the distance of query and key.
/// rotary (Su et al. 2021), alibi (Press et al. 2022), shaw (Shaw et al. 2018), t5 (Raffel et al. 2020). The last query stands
/// at the last key's place, as for causal masks: they are meant for attention of places to themselves.
enum class AttentionPositions : std::uint8_t { none, rotary, alibi, shaw, t5 };

struct MultiheadAttentionOptions {
  std::int64_t embed_dim = 0;
  std::int64_t num_heads = 0;  ///< divides embed_dim
  double dropout = 0;          ///< on the weights, below 1
  bool bias = true;
  std::int64_t kdim = 0, vdim = 0;       ///< sizes of keys and values; 0: embed_dim
  std::optional<Init> weight_init = {};  ///< of out_proj; none: PyTorch's
  /// Heads of keys and values, each for a group of query heads (Ainslie et al. 2023), which divide num_heads; 1: multi-query
  /// attention (Shazeer 2019); 0: num_heads. What steps keep is smaller by num_heads / kv_heads.
  std::int64_t kv_heads = 0;
  AttentionPositions positions = AttentionPositions::none;
  std::int64_t max_distance = 0;  ///< of shaw (0: 16) and t5 (0: 128): what is farther counts as that
  std::int64_t num_buckets = 32;  ///< of t5
  bool bidirectional = true;      ///< of t5: keys behind the query have buckets of their own; not for causal masks
  double rotary_base = 10000;     ///< of rotary
  Normaliser normaliser = Normaliser::softmax;
  std::int64_t max_span = 0;  ///< above 0: heads learn how far they look, at most so far (Sukhbaatar et al. 2019)
  std::int64_t span_ramp = 32;
  double initial_span = 0;  ///< of max_span, 0 to 1
};

/// Attention in several heads (Vaswani et al. 2017) with PyTorch's parameter names and first values. The batch is always
/// first. Masks say true where a query may attend, the other way round than nn.MultiheadAttention's; a mask of keys alone,
/// bool [batch, keys], is given as AttentionMask{.allowed = mask.unsqueeze(1).unsqueeze(1)}, or by their lengths:
///   Var y = attention(x, x, x, AttentionMask{.lengths = lengths, .causal = true}).output;  // a call takes no bare braces
/// Where lengths are given, what stands behind them counts as zeros, in the queries too where they are the keys. So does, in
/// keys that aren't the queries, what `allowed` closes to all queries; where they are, NaN there reaches the weights'
/// gradients: give lengths. With shaw positions, another normaliser or a span the weights stand in memory in full.
class MultiheadAttention : public Module<MultiheadAttention>, public PlaceMixing {
 public:
  /// Throws ValueError for sizes that aren't positive, heads that don't divide embed_dim, kv_heads that don't divide num_heads,
  /// a dropout outside [0, 1), a head_dim that is odd under rotary positions, and what the positions' modules refuse.
  explicit MultiheadAttention(const MultiheadAttentionOptions& options, const Scope& scope = {});

  /// query [batch, queries, embed_dim], key [batch, keys, kdim], value [batch, keys, vdim].
  MixingOutput forward(const Var& query, const Var& key, const Var& value, const AttentionMask& mask = {},
                       AttentionWeights weights = AttentionWeights::none, Padding padding = Padding::anything);
  /// The same over what `remember` kept. The query may have several rows, next to each other, for each of the cache's; the
  /// mask is then one of the cache's rows for all queries (ValueError for causal ones or an `allowed` that tells queries
  /// apart, and where positions or a span do). The padding is what the cache has where the mask is closed.
  MixingOutput forward(const Var& query, const AttentionCache& memory, const AttentionMask& mask = {},
                       AttentionWeights weights = AttentionWeights::none, Padding padding = Padding::anything);

  /// Keys and values for many queries. What stands behind the lengths counts as zeros.
  AttentionCache remember(const Var& key, const Var& value, const Tensor& lengths = {});
  /// Self-attention of new places to those of the cache and to themselves, causally.
  MixingStep step(const Var& x, const AttentionCache& cache) override;
  /// Self-attention.
  Var mix(const Var& x, const AttentionMask& mask, Padding padding) override;

  // With kv_heads, read kv_heads head_dim for the rows of keys and of values.
  Weight in_proj_weight;                               ///< [3 embed_dim, embed_dim], of query, key and value; or none and
  Weight q_proj_weight, k_proj_weight, v_proj_weight;  ///< [embed_dim, embed_dim / kdim / vdim] where sizes differ
  Weight in_proj_bias;                                 ///< [3 embed_dim], or none
  Linear out_proj;
  std::optional<RotaryEmbedding> rotary;      ///< for rotary positions,
  std::optional<RelativePositions> relative;  ///< shaw
  std::optional<RelativeBias> relative_bias;  ///< and t5
  std::optional<AdaptiveSpan> span;           ///< where max_span is above 0

 private:
  struct Heads {
    Var query, key, value;
  };
  Heads project(const Var& query, const Var& key, const Var& value) const;
  Tensor open_to_any(const Var& query, const Var& key, const Tensor& mask) const;
  AttentionCache keys_and_values(const Var& key, const Var& value) const;
  void turn(Var& x, std::int64_t first);
  Var projected(int which, const Var& x) const;
  std::int64_t head_dim() const { return options_.embed_dim / options_.num_heads; }
  Var for_each_head(const Var& x) const;
  bool in_full() const;
  MixingOutput attend(const Heads& heads, const AttentionMask& mask, AttentionWeights weights, Padding padding);
  Var distance_bias(std::int64_t queries, std::int64_t keys, DType dtype);
  AttentionResult attend_in_full(const Heads& heads, const AttentionMask& mask, const Var& bias, Padding padding);

  MultiheadAttentionOptions options_;
};

}  // namespace weft::nn
