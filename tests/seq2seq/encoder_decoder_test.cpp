#include "weft/seq2seq/encoder_decoder.hpp"

#include <doctest/doctest.h>

#include "seq2seq/small_model.hpp"
#include "weft/autograd/gradcheck.hpp"
#include "weft/base/error.hpp"

using namespace weft;
using namespace weft::seq2seq;

TEST_CASE("gradients of every parameter are right, whatever the kind of translator") {
  std::vector<EncoderDecoderOptions> kinds(6, test::small_options());
  kinds[1].attention = AttentionKind::dot;
  kinds[2].attention = AttentionKind::additive;
  kinds[3].input_feeding = false;
  kinds[4].tie_output = true;
  kinds[4].share_embeddings = true;
  kinds[4].source_vocabulary = kinds[4].target_vocabulary = 9;
  kinds[5].encoder_layers = kinds[5].decoder_layers = 2;
  kinds[5].dropout = 0.2;
  const Batch batch = test::small_batch();
  for (const auto& options : kinds) {
    EncoderDecoder model(options);
    model.to(f64);
    const auto report = gradcheck_parameters([&] { return model.loss(batch, 0.1); }, model.parameters(), {.elements = 40});
    INFO(report.str());
    CHECK(report.ok());
    CHECK(report.elements > 200);
  }
}

TEST_CASE("a padded row gives what it gives alone") {
  EncoderDecoder model(test::small_options());
  model.to(f64);
  const std::vector<TokenIds> target = {{4, 5, 6}, {4}, {6, 5}};
  const Var together = model(test::small_batch(test::small_source(), target));
  for (std::size_t r = 0; r < target.size(); ++r) {
    const Var alone = model(test::small_batch({test::small_source()[r]}, {target[r]}));
    for (std::int64_t t = 0; t < alone.size(1); ++t)
      for (std::int64_t v = 0; v < alone.size(2); ++v)
        CHECK(together.value().at({static_cast<std::int64_t>(r), t, v}) ==
              doctest::Approx(alone.value().at({0, t, v})).epsilon(1e-12));
  }
}

TEST_CASE("a tied output has the embedding's name in the state only") {
  auto options = test::small_options();
  options.tie_output = true;
  EncoderDecoder model(options);
  for (const auto& [name, tensor] : model.state_dict()) CHECK(name.find("output") == std::string::npos);
}

TEST_CASE("options that can't be are refused") {
  auto options = test::small_options();
  options.hidden = 5;
  CHECK_THROWS_AS(EncoderDecoder{options}, ValueError);
  options = test::small_options();
  options.source_vocabulary = 0;
  CHECK_THROWS_AS(EncoderDecoder{options}, ValueError);
  options = test::small_options();
  options.share_embeddings = true;
  CHECK_THROWS_WITH_AS(EncoderDecoder{options}, "[EncoderDecoder] share_embeddings needs one vocabulary, not 9 and 7 tokens",
                       ValueError);
  options = test::small_options();
  options.decoder_layers = 0;
  CHECK_THROWS_AS(EncoderDecoder{options}, ValueError);
}

TEST_CASE("a token outside the vocabulary is named") {
  EncoderDecoder model(test::small_options());
  const TokenIds source = {4, 99};
  const std::vector<const TokenIds*> rows = {&source};
  CHECK_THROWS_WITH_AS(model.encode(pad(rows)), doctest::Contains("index 99 at [0, 1]"), IndexError);
}
