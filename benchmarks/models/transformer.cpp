// The translator as a Transformer: one embedding for source, target and output.
#include "weft/seq2seq/transformer.hpp"

#include "models/models.hpp"
#include "models/translation.hpp"
#include "work/sizes.hpp"

using namespace weft;

namespace bench {

Work transformer(const Settings& settings) {
  const TransformerSizes sizes(settings);
  auto model = std::make_unique<seq2seq::Transformer>(seq2seq::TransformerOptions{.source_vocabulary = sizes.vocabulary,
                                                                                  .target_vocabulary = sizes.vocabulary,
                                                                                  .width = sizes.width,
                                                                                  .heads = sizes.heads,
                                                                                  .feed_forward = sizes.feed_forward,
                                                                                  .encoder_layers = sizes.layers,
                                                                                  .decoder_layers = sizes.layers,
                                                                                  .share_embeddings = true,
                                                                                  .dropout = sizes.dropout});
  return translation(std::move(model), {sizes.batch, sizes.length, sizes.vocabulary}, sizes.gflop(), settings);
}

}  // namespace bench
