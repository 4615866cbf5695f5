#include "compare/peer.hpp"
#include "work/sizes.hpp"

namespace bench {

Work ctc(const Settings& settings) {
  const CtcSizes sizes(settings);
  const torch::Tensor logits = data("logits", {sizes.batch, sizes.length, sizes.vocabulary}).requires_grad_();
  const torch::Tensor targets = tokens({sizes.batch, sizes.targets}, sizes.vocabulary - 1, 1) + 1;  // 0 is the blank
  const torch::Tensor frames = torch::full({sizes.batch}, sizes.length, torch::kInt64);
  const torch::Tensor labels = torch::full({sizes.batch}, sizes.targets, torch::kInt64);
  const auto step = [=]() mutable {
    const torch::Tensor loss = torch::ctc_loss(logits.log_softmax(2).transpose(0, 1), targets, frames, labels);
    logits.mutable_grad() = torch::Tensor();
    loss.backward();
    return loss.item<double>();
  };
  return {step, static_cast<double>(sizes.batch * sizes.targets), 0, 50};
}

}  // namespace bench
