#include <doctest/doctest.h>

#include <cstring>

#include "seq2seq/small_model.hpp"
#include "support/threads.hpp"
#include "weft/autograd/tape.hpp"
#include "weft/base/threads.hpp"
#include "weft/ops/loss.hpp"
#include "weft/optim/adam.hpp"
#include "weft/optim/clip.hpp"

using namespace weft;
using namespace weft::seq2seq;

namespace {

#ifdef __SANITIZE_ADDRESS__  // more threads than free cores wait for each other at each parallel loop, and these are longer
constexpr int steps = 20;
#else
constexpr int steps = 200;
#endif

// Large enough for oneDNN and for several chunks.
std::vector<Tensor> trained(const ModelOptions& options, int threads) {
  set_num_threads(threads);
  const std::unique_ptr<Model> model = make_model(options);
  std::vector<TokenIds> rows(16);
  for (std::size_t r = 0; r < rows.size(); ++r)
    for (std::size_t t = 0; t < 3 + r % 4; ++t) rows[r].push_back(static_cast<std::int32_t>(4 + (r * 31 + t * 17) % 290));
  const Batch batch = make_batch(test::pointers(rows), test::pointers(rows));
  optim::Adam optimizer(model->parameters(), {.lr = 1e-3});
  Generator generator(3);
  for (int step = 0; step < steps; ++step) {
    Tape tape(generator);
    tape.backward(model->loss(batch, 0.1));
    optim::clip_grad_norm(model->parameters(), 1.0);
    optimizer.step();
  }
  std::vector<Tensor> weights;
  for (const auto& [name, tensor] : model->state_dict()) weights.push_back(tensor.clone());
  return weights;
}

const ModelOptions kinds[] = {
    EncoderDecoderOptions{.source_vocabulary = 300, .target_vocabulary = 300, .embedding = 32, .hidden = 48, .dropout = 0.2},
    TransformerOptions{.source_vocabulary = 300,
                       .target_vocabulary = 300,
                       .width = 32,
                       .feed_forward = 128,
                       .encoder_layers = 1,
                       .decoder_layers = 1,
                       .dropout = 0.1}};

void check_same_bits(const std::vector<Tensor>& a, const std::vector<Tensor>& b) {
  REQUIRE(a.size() == b.size());
  for (std::size_t i = 0; i < a.size(); ++i)
    CHECK(std::memcmp(a[i].raw(), b[i].raw(), static_cast<std::size_t>(a[i].numel()) * size_of(a[i].dtype())) == 0);
}

}  // namespace

TEST_CASE("training gives the same bits for the same number of threads") {
  const test::ThreadsGuard guard;
  for (const ModelOptions& options : kinds) check_same_bits(trained(options, 2), trained(options, 2));
}

TEST_CASE("deterministic training gives the same bits for any number of threads") {
  const test::ThreadsGuard guard;
  deterministic(true);
  for (const ModelOptions& options : kinds) {
    const auto expected = trained(options, 1);
    for (const int threads : {2, 3, 4, 8}) check_same_bits(trained(options, threads), expected);
  }
}
