// A language model of GPT-2's sizes: learned positions, normalisation before each part, exact GELU, output tied; AdamW.
#include <memory>

#include "models/models.hpp"
#include "models/training.hpp"
#include "weft/nn/dropout.hpp"
#include "weft/nn/embedding.hpp"
#include "weft/nn/positional_encoding.hpp"
#include "weft/nn/transformer.hpp"
#include "weft/ops/loss.hpp"
#include "weft/optim/adam.hpp"
#include "work/sizes.hpp"

using namespace weft;

namespace bench {
namespace {

class Net : public nn::Module<Net> {
 public:
  explicit Net(const Gpt2Sizes& sizes)
      : wte_({.num_embeddings = sizes.vocabulary, .embedding_dim = sizes.width}, {this, "wte"}),
        wpe_({.max_length = 1024, .embedding_dim = sizes.width}, {this, "wpe"}),
        dropout_({.p = sizes.dropout}, {this, "dropout"}),
        layers_({.layer = {.d_model = sizes.width,
                           .nhead = sizes.heads,
                           .dim_feedforward = 4 * sizes.width,
                           .dropout = sizes.dropout,
                           .activation = nn::TransformerActivation::gelu,
                           .norm_first = true},
                 .num_layers = sizes.layers,
                 .norm = true},
                {this, "h"}) {}

  /// ids [rows, places] -> logits [rows, places, vocabulary]
  Var forward(const Tensor& ids) { return wte_.project(layers_(dropout_(wpe_(wte_(ids))), AttentionMask{.causal = true})); }

 private:
  nn::Embedding wte_;
  nn::LearnedPositions wpe_;
  nn::Dropout dropout_;
  nn::TransformerEncoder layers_;
};

struct State {
  State(const Gpt2Sizes& sizes, const Settings& settings) : model(sizes) {
    const Tensor text = tokens({sizes.batch, sizes.length + 1}, sizes.vocabulary, 1);
    inputs = text.slice(1, 0, sizes.length).contiguous();
    targets = text.slice(1, 1, sizes.length + 1).contiguous();
    fill_parameters(model, settings);
  }

  Tensor inputs, targets;
  Net model;
};

}  // namespace

Work gpt2(const Settings& settings) {
  const Gpt2Sizes sizes(settings);
  const auto state = std::make_shared<State>(sizes, settings);
  const auto step =
      training_step(state, std::make_unique<optim::AdamW>(state->model.parameters(), optim::AdamWOptions{.lr = 1e-4}),
                    [](State& s) { return cross_entropy(s.model(s.inputs), s.targets); });
  return {step, static_cast<double>(sizes.batch * sizes.length), sizes.gflop(), 5};
}

}  // namespace bench
