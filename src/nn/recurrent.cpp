#include "nn/recurrent.hpp"

#include <cmath>

#include "base/fail.hpp"

namespace weft::nn {
namespace {

RecurrentWeights make_weights(ModuleBase* owner, std::int64_t gates, std::int64_t input, std::int64_t hidden, bool bias,
                              const std::string& suffix) {
  const double bound = 1 / std::sqrt(static_cast<double>(hidden));
  const Init init = init::uniform(-bound, bound);
  RecurrentWeights weights;
  weights.w_ih = Weight(owner, "weight_ih" + suffix, Shape{gates * hidden, input}, init);
  weights.w_hh = Weight(owner, "weight_hh" + suffix, Shape{gates * hidden, hidden}, init);
  if (!bias) return weights;
  weights.b_ih = Weight(owner, "bias_ih" + suffix, Shape{gates * hidden}, init);
  weights.b_hh = Weight(owner, "bias_hh" + suffix, Shape{gates * hidden}, init);
  return weights;
}

void check_sizes(const char* type, std::int64_t input, std::int64_t hidden) {
  check<ValueError>(input > 0 && hidden > 0, type, "input_size is {} and hidden_size {}; both must be positive", input, hidden);
}

}  // namespace

RecurrentWeights make_cell(ModuleBase* owner, const char* type, std::int64_t gates, const RecurrentCellOptions& options) {
  check_sizes(type, options.input_size, options.hidden_size);
  return make_weights(owner, gates, options.input_size, options.hidden_size, options.bias, "");
}

RecurrentLayers make_layers(ModuleBase* owner, const char* type, std::int64_t gates, const RecurrentOptions& options) {
  check_sizes(type, options.input_size, options.hidden_size);
  check<ValueError>(options.num_layers > 0, type, "num_layers is {}; one at least is needed", options.num_layers);
  check<ValueError>(options.dropout >= 0 && options.dropout <= 1, type, "dropout is {}; a probability from 0 to 1 is needed",
                    options.dropout);
  check<ValueError>(options.dropout == 0 || options.num_layers > 1, type,
                    "dropout {} stands between layers and would do nothing: num_layers is 1. Add layers, set it to 0, or put "
                    "nn::Dropout behind",
                    options.dropout);
  RecurrentLayers layers{options, {}};
  const std::int64_t count = options.bidirectional ? 2 : 1;
  for (std::int64_t layer = 0; layer < options.num_layers; ++layer) {
    const std::int64_t in = layer == 0 ? options.input_size : count * options.hidden_size;
    for (std::int64_t d = 0; d < count; ++d)
      layers.directions.push_back(make_weights(owner, gates, in, options.hidden_size, options.bias,
                                               fmt::format("_l{}{}", layer, d == 1 ? "_reverse" : "")));
  }
  return layers;
}

void check_input(const RecurrentLayers& layers, const char* type, const Var& x) {
  check<ValueError>(x.defined(), type, "the input isn't given");
  check<ShapeError>(x.rank() == 3 && x.size(2) == layers.options.input_size, type, "input {} is not [batch, steps, {}]",
                    x.value(), layers.options.input_size);
}

void check_state(const RecurrentLayers& layers, const char* type, const Var& x, const Var& state) {
  const Shape needed{static_cast<std::int64_t>(layers.directions.size()), x.size(0), layers.options.hidden_size};
  check<ShapeError>(!state.defined() || state.shape() == needed, type, "initial state {} doesn't fit input {}: {} is needed",
                    state.value(), x.value(), needed);
}

Var state_at(const Var& states, std::size_t i) {
  return states.defined() ? select(states, 0, static_cast<std::int64_t>(i)) : Var();
}

Var joined(const PoolVector<Var>& states) { return states.size() == 1 ? unsqueeze(states[0], 0) : stack(states, 0); }

}  // namespace weft::nn
