#include "weft/explain/attention_rollout.hpp"

#include "base/fail.hpp"
#include "weft/ops/comparison.hpp"
#include "weft/ops/elementwise.hpp"
#include "weft/ops/index.hpp"
#include "weft/ops/matmul.hpp"
#include "weft/ops/reduce.hpp"

namespace weft::explain {
namespace {

constexpr const char* op = "attention_rollout";

Tensor identity(std::int64_t size, DType dtype) {
  Tensor result = Tensor::zeros({size, size}, dtype);
  for (std::int64_t i = 0; i < size; ++i) result.slice(0, i, i + 1).slice(1, i, i + 1).fill(1);
  return result;
}

}  // namespace

Var attention_rollout(const std::vector<Var>& weights, const AttentionRolloutOptions& options) {
  check<ValueError>(!weights.empty(), op, "there are no layers");
  check<ValueError>(options.residual >= 0 && options.residual < 1, op, "residual {} is not from 0 to below 1",
                    options.residual);
  Var rollout;
  for (const Var& layer : weights) {
    check<ShapeError>(layer.rank() == 4 || layer.rank() == 3, op,
                      "weights {} are not [batch, heads, places, places] or [batch, places, places]", layer.value());
    check<ShapeError>(layer.size(-1) == layer.size(-2), op, "weights {} are not square: rollout is for self-attention",
                      layer.value());
    const Var heads = layer.rank() == 4 ? mean(layer, {1}) : layer;
    check<ShapeError>(!rollout.defined() || heads.shape() == rollout.shape(), op,
                      "a layer's weights {} don't fit the first layer's {}", layer.value(), weights.front().value());
    const Var mixed = heads * (1 - options.residual) + Var(identity(heads.size(-1), heads.dtype())) * options.residual;
    const Var sums = sum(mixed, {-1}, true);
    const Var ones = Tensor::ones(sums.shape(), sums.dtype());
    const Var normal = mixed / where(eq(sums, 0.0), ones, sums);
    rollout = rollout.defined() ? matmul(normal, rollout) : normal;
  }
  return rollout;
}

}  // namespace weft::explain
