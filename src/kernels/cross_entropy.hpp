#pragma once
#include "weft/tensor/tensor.hpp"

namespace weft::kernels {

/// How a target class t of V becomes a distribution: (1 - smoothing) at t, smoothing / V everywhere.
struct CrossEntropyTargets {
  Tensor classes;  ///< [rows], i64, dense
  std::int64_t ignore_index;
  double smoothing;
};

/// losses [rows] and logsumexps [rows] of logits [rows, V]; ignored rows get 0 and their logits are not read.
/// No probability is stored. Throws IndexError naming the row and the class outside 0..V-1.
void cross_entropy(const Tensor& logits, const CrossEntropyTargets& targets, Tensor& losses, Tensor& logsumexps);

/// result = factor[row] (softmax(logits) - target distribution), zeros in ignored rows. `result` may be `logits` itself.
void cross_entropy_backward(const Tensor& logits, const CrossEntropyTargets& targets, const Tensor& logsumexps,
                            const Tensor& factors, Tensor& result);

namespace reference {
void cross_entropy(const Tensor& logits, const CrossEntropyTargets& targets, Tensor& losses, Tensor& logsumexps);
void cross_entropy_backward(const Tensor& logits, const CrossEntropyTargets& targets, const Tensor& logsumexps,
                            const Tensor& factors, Tensor& result);
}  // namespace reference

}  // namespace weft::kernels
