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
  const auto step = [=, padded = settings.padded]() mutable {
    namespace rnn = torch::nn::utils::rnn;
    optimizer->zero_grad();
    torch::Tensor output;
    if (padded) {
      output = std::get<0>(model->forward(x));
    } else {
      const auto packed = rnn::pack_padded_sequence(x, lengths, true, false);
      output = std::get<0>(rnn::pad_packed_sequence(std::get<0>(model->forward_with_packed_input(packed)), true));
    }
    const torch::Tensor loss = output.square().mean();
    loss.backward();
    optimizer->step();
    return loss.item<double>();
  };
  return {step, sizes.tokens(), sizes.gflop()};
}

}  // namespace bench
