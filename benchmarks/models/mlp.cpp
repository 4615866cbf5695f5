// Two small layers with a tanh between them, squared error, SGD: what a step costs beyond its arithmetic.
#include <memory>

#include "models/models.hpp"
#include "models/training.hpp"
#include "weft/nn/linear.hpp"
#include "weft/ops/distance_loss.hpp"
#include "weft/ops/elementwise.hpp"
#include "weft/optim/sgd.hpp"
#include "work/sizes.hpp"

using namespace weft;

namespace bench {
namespace {

class Net : public nn::Module<Net> {
 public:
  explicit Net(std::int64_t width)
      : first_({.in_features = width, .out_features = width}, {this, "first"}),
        second_({.in_features = width, .out_features = width}, {this, "second"}) {}
  Var forward(const Tensor& x) { return second_(tanh(first_(x))); }

 private:
  nn::Linear first_, second_;
};

struct State {
  State(const MlpSizes& sizes, const Settings& settings)
      : x(data("x", {sizes.batch, sizes.width}, dtype_of(settings))),
        y(data("y", {sizes.batch, sizes.width}, dtype_of(settings))),
        model(sizes.width) {
    fill_parameters(model, settings);
  }

  Tensor x, y;
  Net model;
};

}  // namespace

Work mlp(const Settings& settings) {
  const MlpSizes sizes(settings);
  const auto state = std::make_shared<State>(sizes, settings);
  const auto step = training_step(state, std::make_unique<optim::SGD>(state->model.parameters(), optim::SGDOptions{.lr = 0.01}),
                                  [](State& s) { return mse_loss(s.model(s.x), s.y); });
  return {step, static_cast<double>(sizes.batch), sizes.gflop(), 20000};
}

}  // namespace bench
