#pragma once
// The works on libtorch, one file each; what they share.
#include <torch/torch.h>

#include <functional>
#include <memory>
#include <string_view>
#include <vector>

#include "work/values.hpp"
#include "work/work.hpp"

namespace bench {

Work attention(const Settings& settings);
Work conv(const Settings& settings);
Work ctc(const Settings& settings);
Work gpt2(const Settings& settings);
Work lstm(const Settings& settings);
Work mlp(const Settings& settings);
Work ragged(const Settings& settings);
Work tape(const Settings& settings);
Work transformer(const Settings& settings);

/// As data() and tokens() of models/models.hpp; ids are i64, which libtorch's embedding is fastest with.
torch::Tensor data(std::string_view name, torch::IntArrayRef sizes, double scale = 1);
torch::Tensor tokens(torch::IntArrayRef sizes, std::int64_t vocabulary, std::int64_t seed);
/// Gives every parameter its first values by its name.
void fill_parameters(torch::nn::Module& model);

/// Whether gradients go before a step, and the next are added to nothing, rather than being zeroed where they are: which is
/// faster depends on the model (PEER_DROP_GRADIENTS, yes unless it is 0).
bool drops_gradients();

/// loss() and its gradients, whose norm is cut to `clip` where that isn't 0, and a step of the optimizer; gives the loss.
template <class Loss>
std::function<double()> training_step(const std::vector<torch::Tensor>& parameters,
                                      const std::shared_ptr<torch::optim::Optimizer>& optimizer, Loss loss, double clip = 0) {
  return [=, drop = drops_gradients()]() mutable {
    if (drop)
      for (const torch::Tensor& parameter : parameters) parameter.mutable_grad() = torch::Tensor();
    else
      optimizer->zero_grad();
    const torch::Tensor value = loss();
    value.backward();
    if (clip > 0) torch::nn::utils::clip_grad_norm_(parameters, clip);
    optimizer->step();
    return value.template item<double>();
  };
}

/// Sentence pairs as weft::seq2seq::make_batch makes them: i64 ids [rows, length], lengths [rows] on the host, mask bool, true
/// at tokens.
struct Pairs {
  torch::Tensor source, lengths, mask, target_in, target_out;
  double target_tokens = 0;
};
Pairs sentence_pairs(std::int64_t rows, std::int64_t length, std::int64_t vocabulary);

/// Cross entropy with label smoothing 0.1 over the targets that aren't padding; logits [n, V], targets [n].
torch::Tensor smoothed_loss(const torch::Tensor& logits, const torch::Tensor& targets);

/// Training of a translator with Adam and clipping: `loss` is that of the model for its batch.
template <class Loss>
Work translation(torch::nn::Module& model, double tokens, double gflop, Loss loss) {
  fill_parameters(model);
  const auto optimizer =
      std::make_shared<torch::optim::Adam>(model.parameters(), torch::optim::AdamOptions(5e-4).betas({0.9, 0.98}).eps(1e-9));
  return {training_step(model.parameters(), optimizer, std::move(loss), 1.0), tokens, gflop};
}

}  // namespace bench
