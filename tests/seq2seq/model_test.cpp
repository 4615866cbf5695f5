#include "weft/seq2seq/model.hpp"

#include <doctest/doctest.h>

#include "seq2seq/small_model.hpp"
#include "support/allocations.hpp"
#include "support/random.hpp"
#include "weft/autograd/tape.hpp"
#include "weft/base/error.hpp"
#include "weft/ops/loss.hpp"
#include "weft/optim/adam.hpp"
#include "weft/optim/clip.hpp"

using namespace weft;
using namespace weft::seq2seq;

TEST_CASE("the loss is that of the padded logits, and its gradients are theirs") {
  for (const ModelOptions& kind : test::small_kinds()) {
    const auto model = make_model(kind);
    model->to(f64);
    const std::vector<TokenIds> target = {{4}, {4, 5, 6, 4, 5}, {6, 5}};  // not in the order of their lengths
    const Batch batch = test::small_batch(test::small_source(), target);
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
  Batch batch = test::small_batch();
  batch.target_tokens += 1;
  CHECK_THROWS_WITH_AS(model.loss(batch), doctest::Contains("the batch says"), ValueError);
  batch = test::small_batch();
  batch.target_lengths = Tensor::from<std::int64_t>({4, 2, 5}, {3});
  CHECK_THROWS_WITH_AS(model(batch), doctest::Contains("length 5 of row 2 is outside 0 to 4 (target [3, 4])"), ValueError);
  batch.target_lengths = Tensor::from<std::int64_t>({4, 2}, {2});
  CHECK_THROWS_AS(model(batch), ShapeError);
  batch.target_lengths = Tensor();
  CHECK_THROWS_WITH_AS(model(batch), doctest::Contains("no target lengths"), ValueError);
  batch = test::small_batch();
  batch.target_lengths = Tensor::zeros({3}, i64);
  batch.target_tokens = 0;
  CHECK_THROWS_AS(model.loss(batch), ValueError);
}

TEST_CASE("a batch whose parts don't fit each other is refused") {
  for (const ModelOptions& kind : test::small_kinds()) {
    const auto model = make_model(kind);
    const Batch sound = test::small_batch();  // three rows, of 4 steps at most
    const auto with = [&](auto change) {
      Batch batch = sound;
      change(batch);
      return batch;
    };
    const char* needed = "as many rows of each and one shape [rows, steps] of both targets are needed";
    for (const Batch& batch : {with([](Batch& b) { b.target_in = b.target_in.slice(1, 0, 2); }), with([](Batch& b) {
                                 b.target_in = Tensor::full({3, 5}, begin_id, i32);
                               }),
                               with([](Batch& b) { b.target_in = b.target_in.slice(0, 0, 2); }), with([](Batch& b) {
                                 b.source = pad(test::pointers({{4, 5}, {6}}));
                               }),
                               with([](Batch& b) { b.target_in = b.target_in.reshape({-1}); })}) {
      CHECK_THROWS_WITH_AS(model->loss(batch), doctest::Contains(needed), ShapeError);
      CHECK_THROWS_WITH_AS((*model)(batch), doctest::Contains(needed), ShapeError);
    }
    CHECK_THROWS_WITH_AS(model->loss(with([](Batch& b) { b.target_in = {}; })), doctest::Contains("the batch has no target_in"),
                         ValueError);
    CHECK_THROWS_WITH_AS(model->loss(with([](Batch& b) { b.source = {}; })), doctest::Contains("the batch has no source"),
                         ValueError);
    CHECK_THROWS_WITH_AS(model->loss(with([](Batch& b) { b.target_in = b.target_in.to(i64); })),
                         doctest::Contains("must be i32"), DTypeError);
  }
}

TEST_CASE("lengths alone keep the source's padding out") {
  for (const ModelOptions& kind : test::small_kinds()) {
    const auto model = make_model(kind);
    model->to(f64);
    model->eval();
    const std::vector<TokenIds> one = {{8}}, target = {{4, 5}};
    const Batch alone = test::small_batch(one, target);
    Batch padded = alone;
    padded.source.ids = Tensor::from<std::int32_t>({8, 5, 6, 7}, {1, 4});
    padded.source.lengths = Tensor::from<std::int32_t>({1}, {1});
    CHECK(test::largest_difference((*model)(padded).value(), (*model)(alone).value()) <= 1e-12);
  }
}

TEST_CASE("a row without targets counts for nothing") {
  for (const ModelOptions& kind : test::small_kinds()) {
    const auto model = make_model(kind);
    model->to(f64);
    Batch batch = test::small_batch();  // of 4, 2 and 3 tokens
    batch.target_lengths = Tensor::from<std::int64_t>({4, 0, 3}, {3});
    batch.target_tokens = 7;
    const Batch others = test::small_batch({test::small_source()[0], test::small_source()[2]},
                                           {test::small_target()[0], test::small_target()[2]});
    CHECK(model->loss(batch).item() == doctest::Approx(model->loss(others).item()).epsilon(1e-13));
  }
}

TEST_CASE("a training step of either kind in steady state allocates nothing of ours") {
  TransformerOptions transformer = test::small_transformer_options();
  transformer.dropout = 0.1;
  EncoderDecoderOptions copying = test::small_options();
  copying.source_vocabulary = copying.target_vocabulary = 7;
  copying.attention = AttentionKind::coverage;
  copying.copy = true;
  copying.coverage_weight = 1;
  for (const ModelOptions& kind : {ModelOptions(test::small_options()), ModelOptions(transformer), ModelOptions(copying)}) {
    const auto model = make_model(kind);
    CAPTURE(to_json(kind));
    optim::Adam optimizer(model->parameters());
    Generator generator(1);
    const Batch batch = test::small_batch();
    const auto step = [&] {
      Tape tape(generator);
      tape.backward(model->loss(batch, std::get_if<EncoderDecoderOptions>(&kind) == nullptr ? 0.1 : 0));
      optim::clip_grad_norm(model->parameters(), 1.0);
      optimizer.step();
    };
    const test::SteadyState asked = test::steady_state(step);
    CHECK(asked.pool_misses == 0);
    CHECK(asked.operator_new_calls == 0);
  }
}
