#include "compare/peer.hpp"
#include "work/sizes.hpp"

namespace bench {

namespace nn = torch::nn;

Work ragged(const Settings& settings) {
  const RaggedSizes sizes(settings);
  const torch::Tensor x = data("x", {sizes.batch, sizes.length, sizes.width});
  const torch::Tensor lengths = torch::tensor(sizes.lengths, torch::kInt64);
  nn::LSTM model(nn::LSTMOptions(sizes.width, sizes.width)
                     .num_layers(sizes.layers)
                     .bidirectional(true)
                     .batch_first(true)
                     .dropout(sizes.dropout));
  fill_parameters(*model);
  const auto optimizer = std::make_shared<torch::optim::Adam>(model->parameters(), torch::optim::AdamOptions());
  const auto loss = [=, padded = sizes.padded]() mutable {
    namespace rnn = torch::nn::utils::rnn;
    torch::Tensor output;
    if (padded) {
      output = std::get<0>(model->forward(x));
    } else {
      const auto packed = rnn::pack_padded_sequence(x, lengths, true, false);
      output = std::get<0>(rnn::pad_packed_sequence(std::get<0>(model->forward_with_packed_input(packed)), true));
    }
    return output.square().mean();
  };
  return {training_step(model->parameters(), optimizer, loss), sizes.tokens(), sizes.gflop()};
}

}  // namespace bench
