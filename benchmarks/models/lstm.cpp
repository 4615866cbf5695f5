// The translator: bidirectional encoder, decoder with general attention and input feeding.
#include "models/models.hpp"
#include "models/translation.hpp"
#include "weft/seq2seq/encoder_decoder.hpp"
#include "work/sizes.hpp"

using namespace weft;

namespace bench {

Work lstm(const Settings& settings) {
  const LstmSizes sizes(settings);
  auto model =
      std::make_unique<seq2seq::EncoderDecoder>(seq2seq::EncoderDecoderOptions{.source_vocabulary = sizes.vocabulary,
                                                                               .target_vocabulary = sizes.vocabulary,
                                                                               .embedding = sizes.embedding,
                                                                               .hidden = sizes.width,
                                                                               .attention = seq2seq::AttentionKind::general,
                                                                               .input_feeding = true,
                                                                               .dropout = sizes.dropout});
  return translation(std::move(model), {sizes.batch, sizes.length, sizes.vocabulary}, sizes.gflop(), settings);
}

}  // namespace bench
