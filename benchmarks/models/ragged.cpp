// A bidirectional LSTM over rows of very different lengths, Adam.
#include <memory>

#include "models/models.hpp"
#include "models/training.hpp"
#include "weft/nn/lstm.hpp"
#include "weft/ops/elementwise.hpp"
#include "weft/ops/reduce.hpp"
#include "weft/optim/adam.hpp"
#include "work/sizes.hpp"

using namespace weft;

namespace bench {
namespace {

struct State {
  State(const RaggedSizes& sizes, const Settings& settings)
      : x(data("x", {sizes.batch, sizes.length, sizes.width}, dtype_of(settings))),
        lengths(Tensor::from(std::span(sizes.lengths), {sizes.batch})),
        model({.input_size = sizes.width,
               .hidden_size = sizes.width,
               .num_layers = sizes.layers,
               .bidirectional = true,
               .dropout = sizes.dropout}) {
    fill_parameters(model, settings);
  }

  Tensor x, lengths;
  nn::LSTM model;
};

}  // namespace

Work ragged(const Settings& settings) {
  const RaggedSizes sizes(settings);
  const auto state = std::make_shared<State>(sizes, settings);
  const auto step = training_step(state, std::make_unique<optim::Adam>(state->model.parameters()),
                                  [](State& s) { return mean(square(s.model(s.x, s.lengths).output)); });
  return {step, sizes.tokens(), sizes.gflop()};
}

}  // namespace bench
