#include "compare/peer.hpp"
#include "work/sizes.hpp"

namespace bench {
namespace {

namespace nn = torch::nn;

struct Net : nn::Module {
  explicit Net(const ConvSizes& s)
      : sizes(s),
        first_weight(register_parameter("first_weight", torch::empty({s.width, 1, 3, 3}))),
        first_bias(register_parameter("first_bias", torch::empty({s.width}))),
        second_weight(register_parameter("second_weight", torch::empty({s.width, s.width, 3, 3}))),
        second_bias(register_parameter("second_bias", torch::empty({s.width}))),
        output(register_module("output", nn::Linear(s.width, s.classes))) {}

  torch::Tensor forward(const torch::Tensor& frames) {
    const torch::Tensor first = torch::relu(torch::conv2d(frames, first_weight, first_bias, 1, 1));
    const torch::Tensor second = torch::relu(torch::conv2d(first, second_weight, second_bias, 1, 1));
    return output(second.view({sizes.batch, sizes.length, sizes.width, -1}).mean({1, 3}));
  }

  ConvSizes sizes;
  torch::Tensor first_weight, first_bias, second_weight, second_bias;
  nn::Linear output;
};

}  // namespace

Work conv(const Settings& settings) {
  const ConvSizes sizes(settings);
  const torch::Tensor frames = data("frames", {sizes.batch * sizes.length, 1, sizes.side, sizes.side});
  const torch::Tensor targets = tokens({sizes.batch}, sizes.classes, 1);
  const auto model = std::make_shared<Net>(sizes);
  fill_parameters(*model);
  const auto optimizer = std::make_shared<torch::optim::Adam>(model->parameters(), torch::optim::AdamOptions());
  const auto step =
      training_step(model->parameters(), optimizer, [=] { return torch::cross_entropy_loss(model->forward(frames), targets); });
  return {step, static_cast<double>(sizes.batch * sizes.length), sizes.gflop()};
}

}  // namespace bench
