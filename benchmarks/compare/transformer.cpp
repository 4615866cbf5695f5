#include "compare/layers.hpp"
#include "work/sizes.hpp"

namespace bench {
namespace {

namespace nn = torch::nn;

// Sines and cosines of Vaswani et al. 2017: [places, 1, width].
torch::Tensor sinusoids(std::int64_t places, std::int64_t width) {
  torch::Tensor result = torch::empty({places, 1, width}, torch::kFloat64);
  auto* elements = result.data_ptr<double>();
  for (std::int64_t place = 0; place < places; ++place)
    for (std::int64_t i = 0; i < width; i += 2) {
      const double angle = static_cast<double>(place) / std::pow(10000, static_cast<double>(i) / static_cast<double>(width));
      *elements++ = std::sin(angle);
      *elements++ = std::cos(angle);
    }
  return result.to(torch::get_default_dtype());
}

struct EncoderAndDecoderImpl : nn::Module {
  explicit EncoderAndDecoderImpl(const TransformerSizes& s)
      : encoder(register_module("encoder", Stack(s.layers, layer(s), false))),
        decoder(register_module("decoder", Stack(s.layers, layer(s), true))) {}
  static LayerSizes layer(const TransformerSizes& s) { return {s.width, s.heads, s.feed_forward, s.dropout, false}; }
  Stack encoder, decoder;
};
TORCH_MODULE(EncoderAndDecoder);

struct Model : nn::Module {
  explicit Model(const TransformerSizes& s)
      : sizes(s),
        embedding(register_module("target_embedding",
                                  nn::Embedding(nn::EmbeddingOptions(s.vocabulary, s.width).padding_idx(pad_id)))),
        transformer(register_module("transformer", EncoderAndDecoder(s))),
        positions(sinusoids(s.length, s.width)),
        causal(causal_mask(s.length)) {}

  // ids [rows, places] -> [places, rows, width]
  torch::Tensor embed(const torch::Tensor& ids) {
    const torch::Tensor x = embedding(ids.t()) * std::sqrt(static_cast<double>(sizes.width)) + positions;
    return sizes.dropout > 0 ? torch::dropout(x, sizes.dropout, is_training()) : x;
  }

  // Logits [places, rows, vocabulary]. Padding of the target stands behind its tokens, so the causal mask hides it too.
  torch::Tensor forward(const Pairs& batch) {
    const AttentionMasks source{{}, batch.mask.logical_not()};
    const torch::Tensor memory = transformer->encoder(embed(batch.source), source);
    const torch::Tensor decoded = transformer->decoder(embed(batch.target_in), AttentionMasks{causal, {}}, memory, source);
    return torch::matmul(decoded, embedding->weight.t());
  }

  TransformerSizes sizes;
  nn::Embedding embedding;
  EncoderAndDecoder transformer;
  torch::Tensor positions, causal;
};

}  // namespace

Work transformer(const Settings& settings) {
  const TransformerSizes sizes(settings);
  const Pairs batch = sentence_pairs(sizes.batch, sizes.length, sizes.vocabulary);
  const torch::Tensor targets = batch.target_out.t().contiguous().flatten();
  const auto model = std::make_shared<Model>(sizes);
  return translation(*model, batch.target_tokens, sizes.gflop(),
                     [=] { return smoothed_loss(model->forward(batch).flatten(0, 1), targets); });
}

}  // namespace bench
