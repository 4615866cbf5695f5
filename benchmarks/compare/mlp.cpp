#include "compare/peer.hpp"
#include "work/sizes.hpp"

namespace bench {
namespace {

namespace nn = torch::nn;

struct Net : nn::Module {
  explicit Net(std::int64_t width)
      : first(register_module("first", nn::Linear(width, width))),
        second(register_module("second", nn::Linear(width, width))) {}
  torch::Tensor forward(const torch::Tensor& x) { return second(torch::tanh(first(x))); }
  nn::Linear first, second;
};

}  // namespace

Work mlp(const Settings& settings) {
  const MlpSizes sizes(settings);
  const torch::Tensor x = data("x", {sizes.batch, sizes.width}), y = data("y", {sizes.batch, sizes.width});
  const auto model = std::make_shared<Net>(sizes.width);
  fill_parameters(*model);
  const auto optimizer = std::make_shared<torch::optim::SGD>(model->parameters(), torch::optim::SGDOptions(0.01));
  const auto step = training_step(model->parameters(), optimizer, [=] { return torch::mse_loss(model->forward(x), y); });
  return {step, static_cast<double>(sizes.batch), sizes.gflop(), 5000};
}

}  // namespace bench
