#include "weft/explain/head_entropy.hpp"

#include "base/fail.hpp"
#include "weft/ops/comparison.hpp"
#include "weft/ops/elementwise.hpp"
#include "weft/ops/index.hpp"
#include "weft/ops/reduce.hpp"

namespace weft::explain {

Var attention_entropy(const Var& weights) {
  check<ShapeError>(weights.rank() >= 1, "attention_entropy", "weights {} have no dimension of keys", weights.value());
  const Tensor positive = gt(weights, 0.0);
  const Var ones = Tensor::ones(weights.shape(), weights.dtype());
  const Var zeros = Tensor::zeros(weights.shape(), weights.dtype());
  // Selected before the logarithm, so that no infinity reaches a derivative.
  return -sum(where(positive, weights * log(where(positive, weights, ones)), zeros), {-1});
}

Var head_entropy(const Var& weights, const Tensor& lengths) {
  constexpr const char* op = "head_entropy";
  check<ShapeError>(weights.rank() == 4, op, "weights {} are not [batch, heads, queries, keys]", weights.value());
  const std::int64_t batch = weights.size(0), queries = weights.size(2);
  Tensor counts = Tensor::ones({batch, 1, queries}, weights.dtype());
  std::int64_t counted = batch * queries;
  if (lengths.defined()) {
    check<ShapeError>(lengths.shape() == Shape{batch}, op, "lengths {} are not one for each row of weights {}", lengths,
                      weights.value());
    counted = 0;
    for (std::int64_t row = 0; row < batch; ++row) {
      const auto length = static_cast<std::int64_t>(lengths.at({row}));
      check<ValueError>(length >= 0 && length <= queries, op, "length {} of row {} is not from 0 to the {} queries", length,
                        row, queries);
      counted += length;
      counts.slice(0, row, row + 1).slice(2, length, queries).fill(0);
    }
  }
  check<ValueError>(counted > 0, op, "of the weights {} no query counts", weights.value());
  const Var entropy = attention_entropy(weights);
  const Var zeros = Tensor::zeros(entropy.shape(), entropy.dtype());
  const Tensor counting = gt(Var(counts.expand(entropy.shape())), 0.0);
  return sum(where(counting, entropy, zeros), {0, 2}) / static_cast<double>(counted);
}

}  // namespace weft::explain
