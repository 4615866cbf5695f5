// The translator as a Transformer: one embedding for source, target and output, label smoothing 0.1, Adam, clipping.
#include "weft/seq2seq/transformer.hpp"

#include <memory>

#include "models/models.hpp"
#include "models/pairs.hpp"
#include "weft/autograd/tape.hpp"
#include "weft/optim/adam.hpp"
#include "weft/optim/clip.hpp"
#include "work/sizes.hpp"

using namespace weft;

namespace bench {
namespace {

struct State {
  State(const TransformerSizes& sizes, const Settings& settings)
      : batch(sentence_pairs(sizes.batch, sizes.length, sizes.vocabulary)),
        model({.source_vocabulary = sizes.vocabulary,
               .target_vocabulary = sizes.vocabulary,
               .width = sizes.width,
               .heads = sizes.heads,
               .feed_forward = sizes.feed_forward,
               .encoder_layers = sizes.layers,
               .decoder_layers = sizes.layers,
               .share_embeddings = true,
               .dropout = sizes.dropout}) {
    fill_parameters(model, settings);
    optimizer =
        std::make_unique<optim::Adam>(model.parameters(), optim::AdamOptions{.lr = 5e-4, .betas = {0.9, 0.98}, .eps = 1e-9});
  }

  seq2seq::Batch batch;
  seq2seq::Transformer model;
  std::unique_ptr<optim::Adam> optimizer;
  Generator generator{1};
};

}  // namespace

Work transformer(const Settings& settings) {
  const TransformerSizes sizes(settings);
  const auto state = std::make_shared<State>(sizes, settings);
  const auto step = [state] {
    Tape tape(state->generator);
    const Var loss = state->model.loss(state->batch, 0.1);
    tape.backward(loss);
    optim::clip_grad_norm(state->model.parameters(), 1.0);
    state->optimizer->step();
    return loss.item();
  };
  return {step, static_cast<double>(state->batch.target_tokens), sizes.gflop()};
}

}  // namespace bench
