#include "weft/seq2seq/scheduled_sampling.hpp"

#include <doctest/doctest.h>

#include "seq2seq/small_model.hpp"
#include "weft/autograd/tape.hpp"
#include "weft/base/error.hpp"
#include "weft/ops/reduce.hpp"

using namespace weft;
using namespace weft::seq2seq;

namespace {

bool equal(const Tensor& a, const Tensor& b) {
  for (std::int64_t row = 0; row < a.size(0); ++row)
    for (std::int64_t t = 0; t < a.size(1); ++t)
      if (a.at({row, t}) != b.at({row, t})) return false;
  return a.shape() == b.shape();
}

}  // namespace

TEST_CASE("with the share 1 every input but the first is the model's own, and nothing else changes") {
  for (const ModelOptions& options : test::small_kinds()) {
    const auto model = make_model(options);
    const Batch batch = test::small_batch();
    const Tensor likeliest = argmax((*model)(batch), 2);
    Generator generator(1);
    Tape tape(generator);
    const Batch mixed = scheduled_sampling(*model, batch, 1);
    for (std::int64_t row = 0; row < 3; ++row) {
      const auto length = static_cast<std::int64_t>(batch.target_lengths.at({row}));
      for (std::int64_t t = 0; t < batch.target_in.size(1); ++t)
        CHECK(mixed.target_in.at({row, t}) ==
              (t == 0 || t >= length ? batch.target_in.at({row, t}) : likeliest.at({row, t - 1})));
    }
    CHECK(equal(mixed.target_out, batch.target_out));
    CHECK(equal(batch.target_in, test::small_batch().target_in));
    CHECK(tape.size() == 0);
    tape.backward(model->loss(mixed));
  }
}

TEST_CASE("lengths may be i32, and padding and beginnings are never drawn") {
  EncoderDecoderOptions options = test::small_options();
  options.tie_output = false;
  EncoderDecoder model(options);
  // All logits but these two are equal: an output layer of a bias alone.
  const auto parameters = model.named_parameters();
  for (const auto& [name, parameter] : parameters) {
    if (!name.starts_with("output.")) continue;
    parameter->mutable_value().fill(0);
    if (name != "output.bias") continue;
    parameter->mutable_value().slice(0, pad_id, pad_id + 1).fill(5);
    parameter->mutable_value().slice(0, begin_id, begin_id + 1).fill(9);
  }
  Batch batch = test::small_batch();
  batch.target_lengths = batch.target_lengths.to(i32);
  Generator generator(1);
  Tape tape(generator);
  const Batch mixed = scheduled_sampling(model, batch, 1);
  for (std::int64_t t = 1; t < 4; ++t) CHECK(mixed.target_in.at({0, t}) == unknown_id);  // the first of the others
}

TEST_CASE("a share of the inputs is replaced, by the generator's draw") {
  EncoderDecoder model(test::small_options());
  std::vector<TokenIds> source(400, {4, 5, 6}), target(400, {4, 4, 4, 4, 4, 4, 4, 4, 4});
  const Batch batch = test::small_batch(source, target);
  const auto mixed = [&](double share) {
    Generator generator(3);
    Tape tape(generator);
    return scheduled_sampling(model, batch, share).target_in;
  };
  const double share = 0.3;
  const Tensor own = mixed(1), some = mixed(share);
  CHECK(equal(some, mixed(share)));
  CHECK_FALSE(equal(some, mixed(0.5)));
  std::int64_t differing = 0, replaced = 0;
  for (std::int64_t row = 0; row < 400; ++row) {
    for (std::int64_t t = 1; t < 10; ++t) {
      const bool differs = own.at({row, t}) != 4;
      differing += differs ? 1 : 0;
      replaced += differs && some.at({row, t}) != 4 ? 1 : 0;
    }
  }
  REQUIRE(differing > 1000);
  CHECK(static_cast<double>(replaced) / static_cast<double>(differing) == doctest::Approx(share).epsilon(0.1));
}

TEST_CASE("where nothing is learned, nothing is replaced") {
  EncoderDecoder model(test::small_options());
  const Batch batch = test::small_batch();
  CHECK(equal(scheduled_sampling(model, batch, 1).target_in, batch.target_in));
  Generator generator(1);
  Tape tape(generator);
  CHECK(equal(scheduled_sampling(model, batch, 0).target_in, batch.target_in));
  model.eval();
  CHECK(equal(scheduled_sampling(model, batch, 1).target_in, batch.target_in));
  CHECK(generator.position() == 0);
  for (const double share : {-0.1, 1.1})
    CHECK_THROWS_WITH_AS(scheduled_sampling(model, batch, share), doctest::Contains("a probability from 0 to 1"), ValueError);
}
