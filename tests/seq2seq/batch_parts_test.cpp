// Models that draw: parts of a batch draw what the whole would, by the order of the rows.
#include "seq2seq/small_model.hpp"
#include "support/parts.hpp"
#include "weft/seq2seq/ctc_model.hpp"
#include "weft/seq2seq/language_model.hpp"

using namespace weft;
using namespace weft::seq2seq;

namespace {

const std::vector<TokenIds> sources = {{4, 5, 6, 7}, {8, 4}, {5, 5, 3, 4, 6}, {7}};

// The rows from..to, padded as the whole.
Batch rows_of(const Batch& whole, std::int64_t from, std::int64_t to) {
  const auto part = [&](const Tensor& x) { return x.slice(0, from, to).clone(); };
  Batch batch;
  batch.source.ids = part(whole.source.ids);
  batch.source.lengths = part(whole.source.lengths);
  batch.target_in = part(whole.target_in);
  batch.target_out = part(whole.target_out);
  batch.target_lengths = part(whole.target_lengths);
  for (std::int64_t row = 0; row < to - from; ++row) batch.target_tokens += batch.target_lengths.data<std::int64_t>()[row];
  return batch;
}

void check_model(Model& model, const std::vector<TokenIds>& targets) {
  model.to(f64);
  const Batch whole = test::small_batch(sources, targets);
  test::check_parts(4, [&](std::int64_t from, std::int64_t to) { return model(rows_of(whole, from, to)); });
}

}  // namespace

TEST_CASE("parts of a batch draw what the whole draws: a Transformer's, with any mixing") {
  const auto check = [](const auto& change) {
    TransformerOptions options = test::small_transformer_options();
    options.dropout = 0.3;
    options.kernel_size = 3;
    options.reach = 2;
    change(options);
    Transformer model(options);
    check_model(model, {{4, 5}, {6, 6, 4, 5}, {5}, {4, 5, 6}});
  };
  for (std::size_t i = 0; i < nn::mixing_names.size(); ++i) {
    CAPTURE(nn::mixing_names[i]);
    check([i](TransformerOptions& options) { options.mixing = static_cast<nn::Mixing>(i); });
  }
  check([](TransformerOptions& options) { options.normaliser = nn::Normaliser::entmax15; });
  check([](TransformerOptions& options) { options.max_span = 3; });
}

TEST_CASE("parts of a batch draw what the whole draws: an encoder-decoder's, whose rows come by falling length of the target") {
  EncoderDecoderOptions options = test::small_options();
  options.encoder_layers = options.decoder_layers = 2;
  options.dropout = 0.3;
  EncoderDecoder model(options);
  check_model(model, {{6, 6, 4, 5}, {4, 5, 6}, {4, 5}, {5}});
  check_model(model, {{6, 6}, {4, 5}, {4, 5}, {5, 6}});
}

TEST_CASE("parts of a batch draw what the whole draws: language models and CTC") {
  const Tensor ids = test::integers({4, 5}, 6, 3, i32);
  for (const LanguageModelKind kind : {LanguageModelKind::lstm, LanguageModelKind::transformer}) {
    LanguageModel model(
        {.kind = kind, .vocabulary = 6, .width = 4, .layers = 2, .heads = 2, .feed_forward = 5, .dropout = 0.3});
    model.to(f64);
    test::check_parts(4, [&](std::int64_t from, std::int64_t to) { return model(ids.slice(0, from, to).clone()); });
  }
  CTCModel ctc({.source_size = 3, .labels = 4, .hidden = 3, .layers = 2, .dropout = 0.3});
  ctc.to(f64);
  const Tensor x = test::uniform({4, 6, 3}, -1, 1, 4), lengths = Tensor::from<std::int64_t>({6, 3, 5, 1}, {4});
  test::check_parts(4, [&](std::int64_t from, std::int64_t to) {
    Padded part;
    part.features = x.slice(0, from, to).clone();
    part.lengths = lengths.slice(0, from, to).clone();
    return ctc(part);
  });
}
