#include "compare/layers.hpp"
#include "work/sizes.hpp"

namespace bench {

Work attention(const Settings& settings) {
  const AttentionSizes sizes(settings);
  const auto leaf = [&](const char* name) {
    return data(name, {sizes.batch, sizes.heads, sizes.length, sizes.width}).requires_grad_();
  };
  const torch::Tensor query = leaf("query"), key = leaf("key"), value = leaf("value"), causal = causal_mask(sizes.length);
  const auto step = [=] {
    const double scale = 1 / std::sqrt(static_cast<double>(sizes.width));
    const torch::Tensor weights = (torch::matmul(query * scale, key.transpose(2, 3)) + causal).softmax(3);
    const torch::Tensor loss = torch::matmul(weights, value).square().mean();
    for (torch::Tensor leaf : {query, key, value}) leaf.mutable_grad() = torch::Tensor();
    loss.backward();
    return loss.item<double>();
  };
  return {step, static_cast<double>(sizes.batch * sizes.length), sizes.gflop()};
}

}  // namespace bench
