#pragma once
// A training step of a state that has a model.
#include <functional>
#include <memory>
#include <utility>

#include "weft/autograd/tape.hpp"
#include "weft/base/random.hpp"
#include "weft/optim/clip.hpp"
#include "weft/optim/optimizer.hpp"

namespace bench {

/// loss(state) and its gradients, whose norm is cut to `clip` where that isn't 0, and a step of the optimizer of the state's
/// model; gives the loss.
template <class State, class Loss>
std::function<double()> training_step(std::shared_ptr<State> state, std::unique_ptr<weft::optim::Optimizer> optimizer,
                                      Loss loss, double clip = 0) {
  struct Training {
    std::shared_ptr<State> state;
    std::unique_ptr<weft::optim::Optimizer> optimizer;  // goes before the model
    Loss loss;
    weft::Generator generator{1};
  };
  const auto training = std::make_shared<Training>(Training{std::move(state), std::move(optimizer), std::move(loss)});
  return [training, clip] {
    weft::Tape tape(training->generator);
    const weft::Var value = training->loss(*training->state);
    tape.backward(value);
    if (clip > 0) weft::optim::clip_grad_norm(training->state->model.parameters(), clip);
    training->optimizer->step();
    return value.item();
  };
}

}  // namespace bench
