// The translator: bidirectional encoder, decoder with general attention and input feeding, label smoothing 0.1, Adam, clipping.
#include <memory>

#include "models/models.hpp"
#include "models/pairs.hpp"
#include "weft/autograd/tape.hpp"
#include "weft/optim/adam.hpp"
#include "weft/optim/clip.hpp"
#include "weft/seq2seq/encoder_decoder.hpp"
#include "work/sizes.hpp"

using namespace weft;

namespace bench {
namespace {

struct State {
  explicit State(const LstmSizes& sizes, const Settings& settings)
      : batch(sentence_pairs(sizes.batch, sizes.length, sizes.vocabulary)),
        model({.source_vocabulary = sizes.vocabulary,
               .target_vocabulary = sizes.vocabulary,
               .embedding = sizes.embedding,
               .hidden = sizes.width,
               .attention = seq2seq::AttentionKind::general,
               .input_feeding = true,
               .dropout = sizes.dropout}) {
    fill_parameters(model, settings);
    optimizer =
        std::make_unique<optim::Adam>(model.parameters(), optim::AdamOptions{.lr = 5e-4, .betas = {0.9, 0.98}, .eps = 1e-9});
  }

  seq2seq::Batch batch;
  seq2seq::EncoderDecoder model;
  std::unique_ptr<optim::Adam> optimizer;
  Generator generator{1};
};

}  // namespace

Work lstm(const Settings& settings) {
  const LstmSizes sizes(settings);
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
