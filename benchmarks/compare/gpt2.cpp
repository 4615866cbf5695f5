#include "compare/layers.hpp"
#include "work/sizes.hpp"

namespace bench {
namespace {

namespace nn = torch::nn;

struct Model : nn::Module {
  explicit Model(const Gpt2Sizes& s)
      : wte(register_module("wte", nn::Embedding(s.vocabulary, s.width))),
        wpe(register_module("wpe", nn::Embedding(1024, s.width))),
        h(register_module("h", Stack(s.layers, LayerSizes{s.width, s.heads, 4 * s.width, s.dropout, true}, false))),
        causal(causal_mask(s.length)),
        positions(torch::arange(s.length, torch::kInt64)),
        dropout(s.dropout) {}

  // ids [rows, places] -> logits [places, rows, vocabulary]
  torch::Tensor forward(const torch::Tensor& ids) {
    torch::Tensor x = wte(ids.t()) + wpe(positions).unsqueeze(1);
    if (dropout > 0) x = torch::dropout(x, dropout, is_training());
    return torch::matmul(h(x, AttentionMasks{causal, {}}), wte->weight.t());
  }

  nn::Embedding wte, wpe;
  Stack h;
  torch::Tensor causal, positions;
  double dropout;
};

}  // namespace

Work gpt2(const Settings& settings) {
  const Gpt2Sizes sizes(settings);
  const torch::Tensor text = tokens({sizes.batch, sizes.length + 1}, sizes.vocabulary, 1);
  const torch::Tensor inputs = text.narrow(1, 0, sizes.length).contiguous();
  const torch::Tensor targets = text.narrow(1, 1, sizes.length).t().contiguous().flatten();
  const auto model = std::make_shared<Model>(sizes);
  fill_parameters(*model);
  const auto optimizer = std::make_shared<torch::optim::AdamW>(model->parameters(), torch::optim::AdamWOptions(1e-4));
  const auto step = training_step(model->parameters(), optimizer,
                                  [=] { return torch::cross_entropy_loss(model->forward(inputs).flatten(0, 1), targets); });
  return {step, static_cast<double>(sizes.batch * sizes.length), sizes.gflop(), 5};
}

}  // namespace bench
