#include "weft/seq2seq/encoder_decoder.hpp"

#include <doctest/doctest.h>

#include "seq2seq/small_model.hpp"
#include "support/allocations.hpp"
#include "support/random.hpp"
#include "weft/autograd/gradcheck.hpp"
#include "weft/autograd/tape.hpp"
#include "weft/base/error.hpp"
#include "weft/ops/loss.hpp"
#include "weft/optim/adam.hpp"
#include "weft/optim/clip.hpp"

using namespace weft;
using namespace weft::seq2seq;

namespace {

Batch small_batch(const std::vector<TokenIds>& source, const std::vector<TokenIds>& target) {
  return make_batch(test::pointers(source), test::pointers(target));
}

Batch small_batch() {
  static const std::vector<TokenIds> target = {{4, 5, 6}, {4}, {6, 5}};
  return small_batch(test::small_source(), target);
}

}  // namespace

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
  const Batch batch = small_batch();
  for (const auto& options : kinds) {
    EncoderDecoder model(options);
    model.to(f64);
    const auto report = gradcheck_parameters([&] { return model.loss(batch, 0.1); }, model.parameters(), {.elements = 40});
    INFO(report.str());
    CHECK(report.ok());
    CHECK(report.elements > 200);
  }
}

TEST_CASE("the loss is that of the padded logits, and its gradients are theirs") {
  for (const ModelOptions& kind : test::small_kinds()) {
    const auto model = make_model(kind);
    model->to(f64);
    const std::vector<TokenIds> target = {{4}, {4, 5, 6, 4, 5}, {6, 5}};  // not in the order of their lengths
    const Batch batch = small_batch(test::small_source(), target);
    std::vector<Tensor> gradients;
    for (const bool padded : {true, false}) {
      Tape tape;
      const CrossEntropyOptions options{.ignore_index = pad_id, .label_smoothing = 0.1};
      const Var loss = padded ? cross_entropy((*model)(batch), batch.target_out, options) : model->loss(batch, 0.1);
      CHECK(loss.item() == doctest::Approx(model->loss(batch, 0.1).item()).epsilon(1e-13));
      tape.backward(loss);
      for (std::size_t i = 0; Parameter * parameter : model->parameters()) {
        if (padded)
          gradients.push_back(parameter->grad().clone());
        else
          CHECK(test::largest_difference(parameter->grad(), gradients[i++]) <= 1e-14);
      }
      model->zero_grad();
    }
    const Tensor logits = (*model)(batch).value();
    CHECK(test::largest(logits.select(0, 0).slice(0, 2, 6)) == 0);
    CHECK(test::largest(logits.select(0, 0).select(0, 1)) > 0);
  }
}

TEST_CASE("a batch whose lengths don't fit is refused") {
  EncoderDecoder model(test::small_options());
  Batch batch = small_batch();
  batch.target_tokens += 1;
  CHECK_THROWS_WITH_AS(model.loss(batch), doctest::Contains("the batch says"), ValueError);
  batch = small_batch();
  batch.target_lengths = Tensor::from<std::int64_t>({4, 2, 5}, {3});
  CHECK_THROWS_WITH_AS(model(batch), doctest::Contains("row 2 of the target has the length 5; 1 to 4 is possible"), ValueError);
  batch.target_lengths = Tensor::from<std::int64_t>({4, 2}, {2});
  CHECK_THROWS_AS(model(batch), ShapeError);
}

TEST_CASE("a padded row gives what it gives alone") {
  EncoderDecoder model(test::small_options());
  model.to(f64);
  const std::vector<TokenIds> target = {{4, 5, 6}, {4}, {6, 5}};
  const Var together = model(small_batch(test::small_source(), target));
  for (std::size_t r = 0; r < target.size(); ++r) {
    const Var alone = model(small_batch({test::small_source()[r]}, {target[r]}));
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

TEST_CASE("a training step in steady state allocates nothing of ours") {
  EncoderDecoder model(test::small_options());
  optim::Adam optimizer(model.parameters());
  Generator generator(1);
  const Batch batch = small_batch();
  const auto step = [&] {
    Tape tape(generator);
    tape.backward(model.loss(batch, 0.1));
    optim::clip_grad_norm(model.parameters(), 1.0);
    optimizer.step();
  };
  for (int i = 0; i < 3; ++i) step();
  const auto misses = memory_statistics().pool_misses;
  const auto calls = test::operator_new_calls();
  for (int i = 0; i < 5; ++i) step();
  // Read before the checks, which may allocate themselves.
  const auto misses_now = memory_statistics().pool_misses;
  const auto calls_now = test::operator_new_calls();
  CHECK(misses_now == misses);
  CHECK(calls_now == calls);
}
