// A bidirectional LSTM over rows of very different lengths, Adam.
#include <memory>

#include "models/models.hpp"
#include "weft/autograd/tape.hpp"
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
    optimizer = std::make_unique<optim::Adam>(model.parameters());
  }

  Tensor x, lengths;
  nn::LSTM model;
  std::unique_ptr<optim::Adam> optimizer;
  Generator generator{1};
};

}  // namespace

Work ragged(const Settings& settings) {
  const RaggedSizes sizes(settings);
  const auto state = std::make_shared<State>(sizes, settings);
  const auto step = [state] {
    Tape tape(state->generator);
    const Var loss = mean(square(state->model(state->x, state->lengths).output));
    tape.backward(loss);
    state->optimizer->step();
    return loss.item();
  };
  return {step, sizes.tokens(), sizes.gflop()};
}

}  // namespace bench
