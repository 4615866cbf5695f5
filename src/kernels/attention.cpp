#include "kernels/attention.hpp"

namespace weft::kernels {

AttentionForward attention(const Tensor& query, const Tensor& key, const Tensor& value, const AttentionSettings& settings) {
  return reference::attention(query, key, value, settings);
}

AttentionGradients attention_backward(const Tensor& query, const Tensor& key, const Tensor& value,
                                      const AttentionForward& forward, const Tensor& gradient,
                                      const AttentionSettings& settings) {
  return reference::attention_backward(query, key, value, forward, gradient, settings);
}

}  // namespace weft::kernels
