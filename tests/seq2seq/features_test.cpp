// Sources that are features, not tokens: batches, the LSTM encoder-decoder over them, and how they are decoded.
#include <doctest/doctest.h>

#include "seq2seq/small_model.hpp"
#include "support/elements.hpp"
#include "support/random.hpp"
#include "weft/autograd/gradcheck.hpp"
#include "weft/autograd/tape.hpp"
#include "weft/base/error.hpp"
#include "weft/seq2seq/beam_search.hpp"
#include "weft/seq2seq/sampling.hpp"

using namespace weft;
using namespace weft::seq2seq;

namespace {

std::vector<Tensor> features() {
  return {test::uniform({2, 3}, -1, 1, 1, f32), test::uniform({5, 3}, -1, 1, 2, f32), test::uniform({4, 3}, -1, 1, 3, f32)};
}

EncoderDecoderOptions options_of(AttentionKind attention) {
  return {.target_vocabulary = 7, .source_size = 3, .embedding = 4, .hidden = 6, .attention = attention};
}

Batch batch_of(const std::vector<Tensor>& source, const std::vector<TokenIds>& target) {
  return make_batch(pad_features(source), test::pointers(target));
}

}  // namespace

TEST_CASE("over features every gradient is right, and a padded row gives what it gives alone") {
  for (const AttentionKind attention : {AttentionKind::none, AttentionKind::additive, AttentionKind::location}) {
    EncoderDecoder model(options_of(attention));
    model.to(f64);
    const std::vector<TokenIds> target = {{4, 5, 6}, {4}, {6, 5}};
    const Batch batch = batch_of(features(), target);
    const auto report =
        gradcheck_parameters([&] { return model.loss(batch, 0.1); }, model.parameters(), {.elements = test::elements(30)});
    INFO(report.str());
    CHECK(report.ok());
    const Tensor together = model(batch).value();
    for (std::size_t r = 0; r < target.size(); ++r) {
      const Tensor alone = model(batch_of({features()[r]}, {target[r]})).value();
      const auto row = static_cast<std::int64_t>(r);
      CHECK(test::largest_difference(together.slice(0, row, row + 1).slice(1, 0, alone.size(1)), alone) <= 1e-12);
    }
  }
}

TEST_CASE("features are searched and drawn from as if each row were alone") {
  EncoderDecoder model(options_of(AttentionKind::location));
  model.eval();
  const auto searched = beam_search(model, pad_features(features()), {.beam = 3, .max_length = 6, .attention = true});
  const auto drawn = sample(model, pad_features(features()), {.samples = 2, .max_length = 6});
  for (std::size_t r = 0; r < 3; ++r) {
    const std::vector<Tensor> one = {features()[r]};
    const Hypothesis alone = beam_search(model, pad_features(one), {.beam = 3, .max_length = 6})[0][0];
    CHECK(searched[r][0].ids == alone.ids);
    CHECK(searched[r][0].log_probability == doctest::Approx(alone.log_probability).epsilon(1e-5));
    CHECK(searched[r][0].attention.size(1) == features()[r].size(0));
    CHECK(drawn[r][0].ids == sample(model, pad_features(one), {.samples = 2, .max_length = 6})[0][0].ids);
  }
}

TEST_CASE("a model of features and one of tokens don't take each other's source") {
  EncoderDecoder of_features(options_of(AttentionKind::general)), of_tokens(test::small_options());
  const auto text = test::pointers(test::small_source());
  CHECK_THROWS_WITH_AS(of_features.encode(pad(text)),
                       "[EncoderDecoder] the source has no features, of which this model has been made", ValueError);
  CHECK_THROWS_AS(of_tokens.encode(pad_features(features())), ValueError);
  const std::vector<Tensor> wide = {Tensor::zeros({2, 4})};
  CHECK_THROWS_WITH_AS(of_features.encode(pad_features(wide)),
                       "[EncoderDecoder] source features f32[1, 2, 4] are not [rows, columns, 3] with one of each at least",
                       ShapeError);
  EncoderDecoderOptions options = options_of(AttentionKind::general);
  options.source_vocabulary = 9;
  CHECK_THROWS_AS(EncoderDecoder{options}, ValueError);
  options.source_vocabulary = 0;
  options.source_size = -1;
  CHECK_THROWS_AS(EncoderDecoder{options}, ValueError);
  options = options_of(AttentionKind::general);
  const ModelOptions again = model_options_of(to_json(ModelOptions(options)), "a file");
  CHECK(std::get<EncoderDecoderOptions>(again).source_size == 3);
}
