// A classifier of image sequences: two 3x3 convolutions on every frame, their mean over pixels and frames, Adam.
#include <memory>

#include "models/models.hpp"
#include "models/training.hpp"
#include "weft/nn/linear.hpp"
#include "weft/ops/activation.hpp"
#include "weft/ops/convolution.hpp"
#include "weft/ops/loss.hpp"
#include "weft/ops/reduce.hpp"
#include "weft/ops/shape.hpp"
#include "weft/optim/adam.hpp"
#include "work/sizes.hpp"

using namespace weft;

namespace bench {
namespace {

class Net : public nn::Module<Net> {
 public:
  explicit Net(const ConvSizes& sizes)
      : sizes_(sizes),
        first_weight_(this, "first_weight", {sizes.width, 1, 3, 3}, nn::init::zeros()),
        first_bias_(this, "first_bias", {sizes.width}, nn::init::zeros()),
        second_weight_(this, "second_weight", {sizes.width, sizes.width, 3, 3}, nn::init::zeros()),
        second_bias_(this, "second_bias", {sizes.width}, nn::init::zeros()),
        output_({.in_features = sizes.width, .out_features = sizes.classes}, {this, "output"}) {}

  /// frames [batch * length, 1, side, side] -> logits [batch, classes]
  Var forward(const Tensor& frames) {
    const Var first = relu(conv2d(frames, first_weight_, first_bias_, {.padding = 1}));
    const Var second = relu(conv2d(first, second_weight_, second_bias_, {.padding = 1}));
    const Var features = reshape(second, {sizes_.batch, sizes_.length, sizes_.width, sizes_.side * sizes_.side});
    return output_(mean(features, {1, 3}));
  }

 private:
  ConvSizes sizes_;
  nn::Weight first_weight_, first_bias_, second_weight_, second_bias_;
  nn::Linear output_;
};

struct State {
  State(const ConvSizes& sizes, const Settings& settings)
      : frames(data("frames", {sizes.batch * sizes.length, 1, sizes.side, sizes.side}, dtype_of(settings))),
        targets(tokens({sizes.batch}, sizes.classes, 1)),
        model(sizes) {
    fill_parameters(model, settings);
  }

  Tensor frames, targets;
  Net model;
};

}  // namespace

Work conv(const Settings& settings) {
  const ConvSizes sizes(settings);
  const auto state = std::make_shared<State>(sizes, settings);
  const auto step = training_step(state, std::make_unique<optim::Adam>(state->model.parameters()),
                                  [](State& s) { return cross_entropy(s.model(s.frames), s.targets); });
  return {step, static_cast<double>(sizes.batch * sizes.length), sizes.gflop()};
}

}  // namespace bench
