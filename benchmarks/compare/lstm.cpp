#include "compare/peer.hpp"
#include "work/sizes.hpp"

namespace bench {
namespace {

namespace nn = torch::nn;

// Score of Luong et al. 2015: key . W query.
struct AttentionImpl : nn::Module {
  explicit AttentionImpl(std::int64_t width)
      : query(register_module("query", nn::Linear(nn::LinearOptions(width, width).bias(false)))) {}
  nn::Linear query;
};
TORCH_MODULE(Attention);

struct EncoderDecoder : nn::Module {
  explicit EncoderDecoder(const LstmSizes& s)
      : sizes(s),
        target_embedding(register_module("target_embedding",
                                         nn::Embedding(nn::EmbeddingOptions(s.vocabulary, s.embedding).padding_idx(pad_id)))),
        source_embedding(register_module("source_embedding",
                                         nn::Embedding(nn::EmbeddingOptions(s.vocabulary, s.embedding).padding_idx(pad_id)))),
        encoder(register_module("encoder",
                                nn::LSTM(nn::LSTMOptions(s.embedding, s.width / 2).bidirectional(true).batch_first(true)))),
        combine(register_module("combine", nn::Linear(nn::LinearOptions(2 * s.width, s.width).bias(false)))),
        attention(register_module("attention", Attention(s.width))),
        output(register_module("output", nn::Linear(s.width, s.vocabulary))) {
    register_module("decoder", decoder);
    decoder->push_back(nn::LSTMCell(s.embedding + s.width, s.width));
  }

  torch::Tensor dropped(const torch::Tensor& x) {
    return sizes.dropout > 0 ? torch::dropout(x, sizes.dropout, is_training()) : x;
  }

  torch::Tensor forward(const Pairs& batch) {
    namespace rnn = torch::nn::utils::rnn;
    const auto packed = rnn::pack_padded_sequence(dropped(source_embedding(batch.source)), batch.lengths, true, false);
    const auto [encoded, last] = encoder->forward_with_packed_input(packed);
    const torch::Tensor memory = std::get<0>(rnn::pad_packed_sequence(encoded, true)), keys = memory.transpose(1, 2);
    const torch::Tensor masked = batch.mask.logical_not().unsqueeze(1);
    torch::Tensor h = torch::cat({std::get<0>(last)[0], std::get<0>(last)[1]}, 1);
    torch::Tensor c = torch::cat({std::get<1>(last)[0], std::get<1>(last)[1]}, 1);
    torch::Tensor feed = torch::zeros({sizes.batch, sizes.width});
    const std::vector<torch::Tensor> embedded = dropped(target_embedding(batch.target_in)).unbind(1);
    auto& cell = *decoder[0]->as<nn::LSTMCell>();
    std::vector<torch::Tensor> attentional;
    for (const torch::Tensor& input : embedded) {
      std::tie(h, c) = cell.forward(torch::cat({input, feed}, 1), std::make_tuple(h, c));
      const torch::Tensor scores = torch::bmm(attention->query(h).unsqueeze(1), keys);
      const torch::Tensor weights = scores.masked_fill(masked, -std::numeric_limits<double>::infinity()).softmax(2);
      const torch::Tensor context = torch::bmm(weights, memory).squeeze(1);
      feed = dropped(torch::tanh(combine(torch::cat({context, h}, 1))));
      attentional.push_back(feed);
    }
    return output(torch::stack(attentional, 1));
  }

  LstmSizes sizes;
  nn::Embedding target_embedding, source_embedding;
  nn::LSTM encoder;
  nn::ModuleList decoder;
  nn::Linear combine;
  Attention attention;
  nn::Linear output;
};

}  // namespace

Work lstm(const Settings& settings) {
  const LstmSizes sizes(settings);
  const Pairs batch = sentence_pairs(sizes.batch, sizes.length, sizes.vocabulary);
  const auto model = std::make_shared<EncoderDecoder>(sizes);
  return translation(*model, batch.target_tokens, sizes.gflop(),
                     [=] { return smoothed_loss(model->forward(batch).flatten(0, 1), batch.target_out.flatten()); });
}

}  // namespace bench
