#pragma once
#include "weft/tensor/tensor.hpp"

namespace weft::kernels {

/// How a target class t of V becomes a distribution: (1 - smoothing) at t, smoothing / V everywhere.
struct CrossEntropyTargets {
  Tensor classes;  ///< [rows], i64, dense
  std::int64_t ignore_index;
  double smoothing;
};

/// losses [rows] of logits [rows, V], and normalisers [rows, 2]: the largest logit and log(sum(exp(logits - largest))), apart
/// as their sum would lose digits. Ignored rows get 0 and their logits are not read. No probability is stored. Throws
/// IndexError naming the row and the class outside 0..V-1.
void cross_entropy(const Tensor& logits, const CrossEntropyTargets& targets, Tensor& losses, Tensor& normalisers);

/// result = factor[row] (softmax(logits) - target distribution), zeros in ignored rows and where the factor is 0.
/// `result` may be `logits` itself.
void cross_entropy_backward(const Tensor& logits, const CrossEntropyTargets& targets, const Tensor& normalisers,
                            const Tensor& factors, Tensor& result);

namespace reference {
void cross_entropy(const Tensor& logits, const CrossEntropyTargets& targets, Tensor& losses, Tensor& normalisers);
void cross_entropy_backward(const Tensor& logits, const CrossEntropyTargets& targets, const Tensor& normalisers,
                            const Tensor& factors, Tensor& result);
}  // namespace reference

}  // namespace weft::kernels
