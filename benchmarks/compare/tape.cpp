#include "compare/peer.hpp"
#include "work/sizes.hpp"

namespace bench {

Work tape(const Settings& settings) {
  const TapeSizes sizes(settings);
  const torch::Tensor start = data("start", {sizes.width}), cotangent = torch::ones({sizes.width});
  const torch::Tensor w = torch::full({sizes.width}, 0.999).requires_grad_(),
                      x = torch::full({sizes.width}, 0.001).requires_grad_();
  const auto step = [=, length = sizes.length]() mutable {
    torch::Tensor y = start;
    for (std::int64_t i = 0; i < length; ++i) {
      y = y * w;
      y = y + x;
    }
    w.mutable_grad() = torch::Tensor();
    x.mutable_grad() = torch::Tensor();
    y.backward(cotangent);
    return y[0].item<double>() + w.grad()[0].item<double>();
  };
  return {step, 2.0 * static_cast<double>(sizes.length), 0, 50};
}

}  // namespace bench
