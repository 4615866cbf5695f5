#include "weft/seq2seq/transformer.hpp"

#include <doctest/doctest.h>

#include "seq2seq/small_model.hpp"
#include "support/elements.hpp"
#include "support/random.hpp"
#include "weft/autograd/gradcheck.hpp"
#include "weft/base/error.hpp"

using namespace weft;
using namespace weft::seq2seq;

TEST_CASE("gradients of every parameter are right, whatever the kind of Transformer") {
  std::vector<TransformerOptions> kinds(3, test::small_transformer_options());
  kinds[1].norm_first = false;
  kinds[1].tie_output = false;
  kinds[2].share_embeddings = true;
  kinds[2].target_vocabulary = 9;
  kinds[2].dropout = 0.2;
  const Batch batch = test::small_batch();
  for (const auto& options : kinds) {
    Transformer model(options, {.owner = nullptr, .name = {}, .seed = 3});
    model.to(f64);
    const auto report =
        gradcheck_parameters([&] { return model.loss(batch, 0.1); }, model.parameters(), {.elements = test::elements(20)});
    INFO(report.str());
    CHECK(report.ok());
    CHECK(report.elements > test::elements(500));
  }
}

TEST_CASE("a Transformer's padded row gives what it gives alone") {
  Transformer model(test::small_transformer_options());
  model.to(f64);
  const Tensor together = model(test::small_batch()).value();
  for (std::size_t r = 0; r < test::small_target().size(); ++r) {
    const Tensor alone = model(test::small_batch({test::small_source()[r]}, {test::small_target()[r]})).value();
    CHECK(test::largest_difference(alone.select(0, 0),
                                   together.select(0, static_cast<std::int64_t>(r)).slice(0, 0, alone.size(1))) <= 1e-13);
  }
}

TEST_CASE("steps of the decoder give what teacher forcing gives") {
  Transformer model(test::small_transformer_options());
  model.to(f64);
  const Batch batch = test::small_batch();
  const Tensor whole = model(batch).value();
  auto [memory, state] = model.encode(batch.source);
  for (std::int64_t t = 0; t < batch.target_in.size(1); ++t) {
    DecoderStep next = model.step(memory, state, batch.target_in.select(1, t), t % 2 == 0);
    const Tensor logits = model.project(next.features).value();
    for (std::int64_t row = 0; row < logits.size(0); ++row)
      if (t < static_cast<std::int64_t>(batch.target_lengths.at({row})))
        CHECK(test::largest_difference(logits.select(0, row), whole.select(1, t).select(0, row)) <= 1e-12);
    CHECK(next.weights.defined() == (t % 2 == 0));
    state = std::move(next.state);
  }
}

TEST_CASE("a Transformer's names: PyTorch's below, a tied output none") {
  Transformer model(test::small_transformer_options());
  bool layers = false;
  for (const auto& [name, tensor] : model.state_dict()) {
    CHECK(name.find("output") == std::string::npos);
    layers = layers || name == "transformer.decoder.layers.1.multihead_attn.in_proj_weight";
  }
  CHECK(layers);
}

TEST_CASE("a Transformer that can't be is refused") {
  const auto refuse = [](const auto& change, const char* message) {
    auto options = test::small_transformer_options();
    change(options);
    CHECK_THROWS_WITH_AS(Transformer{options}, doctest::Contains(message), ValueError);
  };
  refuse([](auto& o) { o.source_vocabulary = 0; }, "vocabularies of 0 and 7 tokens");
  refuse([](auto& o) { o.heads = 4; }, "width 6 and 4 heads");
  refuse([](auto& o) { o.width = 7; }, "width 7 and 2 heads");
  refuse([](auto& o) { o.feed_forward = 0; }, "feed_forward 0");
  refuse([](auto& o) { o.decoder_layers = 0; }, "0 decoder layers");
  refuse([](auto& o) { o.share_embeddings = true; }, "share_embeddings needs one vocabulary, not 9 and 7 tokens");
  refuse([](auto& o) { o.dropout = 1; }, "dropout is 1");
}
