#pragma once
#include <algorithm>
#include <cstdint>
#include <optional>

#include "kernels/dropout.hpp"
#include "weft/tensor/tensor.hpp"

namespace weft::kernels {

/// Attention of Q queries to K keys in heads: query [B, H, Q, D], key [B, H, K, D], value [B, H, K, V], any strides, f32 or
/// f64.
struct AttentionSettings {
  Tensor allowed;  ///< bool [B, H, Q, K], any strides; undefined: all
  Tensor lengths;  ///< i64 [B], dense, 0 to K; undefined: all
  bool causal = false;
  double scale = 1;
  std::optional<DropoutDraw> draw = {};  ///< over the weights as rows (b H + h) Q + q of K columns
  Tensor bias = {};  ///< [H, Q + K - 1], dense, as the operands: added to scores at k - q + Q - 1; undefined: 0

  /// The keys before the first that query `q` of row `b` can't see for its length or for causality.
  std::int64_t visible(std::int64_t b, std::int64_t q, std::int64_t queries, std::int64_t keys) const {
    std::int64_t end = lengths.defined() ? lengths.data<std::int64_t>()[b] : keys;
    if (causal) end = std::clamp<std::int64_t>(keys - queries + q + 1, 0, end);
    return end;
  }
  /// What is added to the scores of head h, from the first distance on; null: nothing.
  template <class T>
  const T* bias_of(std::int64_t h) const {
    return bias.defined() ? bias.data<T>() + h * bias.size(1) : nullptr;
  }
};

struct AttentionForward {
  Tensor output;  ///< [B, H, Q, V], in memory [B, Q, H, V]; zeros where a query has no keys
  /// [B, H, Q]: the largest score = scale query . key, and the logarithm of the sum of exp(score - largest) over the keys, +inf
  /// where there are none. Two numbers, for their sum would lose digits.
  Tensor largest, log_sums;
};
AttentionForward attention(const Tensor& query, const Tensor& key, const Tensor& value, const AttentionSettings& settings);

/// In memory [B, Q or K, H, D or V]. A query into whose output only zeros come counts for nothing, whatever it is.
struct AttentionGradients {
  Tensor query, key, value;
  Tensor bias;  ///< [B, H, Q + K - 1]; undefined unless `with_bias`
};
AttentionGradients attention_backward(const Tensor& query, const Tensor& key, const Tensor& value,
                                      const AttentionForward& forward, const Tensor& gradient,
                                      const AttentionSettings& settings, bool with_bias = false);

namespace reference {
AttentionForward attention(const Tensor& query, const Tensor& key, const Tensor& value, const AttentionSettings& settings);
AttentionGradients attention_backward(const Tensor& query, const Tensor& key, const Tensor& value,
                                      const AttentionForward& forward, const Tensor& gradient,
                                      const AttentionSettings& settings, bool with_bias = false);
}  // namespace reference

namespace heads {

/// A tensor [B, H, n, size] whose memory is [B, n, H, size].
inline Tensor empty(const Tensor& like, std::int64_t size) {
  return Tensor::empty({like.size(0), like.size(2), like.size(1), size}, like.dtype()).transpose(1, 2);
}

/// x itself where its last dimension is dense.
inline Tensor with_dense_rows(const Tensor& x) { return x.stride(3) == 1 || x.size(3) <= 1 ? x : x.clone(); }

/// The first element of matrix (b, h) of a tensor with dense rows.
template <class T>
const T* matrix(const Tensor& x, std::int64_t b, std::int64_t h) {
  return x.data<T>() + b * x.stride(0) + h * x.stride(1);
}

}  // namespace heads
}  // namespace weft::kernels
