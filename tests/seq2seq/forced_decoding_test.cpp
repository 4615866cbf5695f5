#include "weft/seq2seq/forced_decoding.hpp"

#include <doctest/doctest.h>

#include "seq2seq/rereading.hpp"
#include "support/random.hpp"
#include "weft/base/error.hpp"
#include "weft/seq2seq/beam_search.hpp"

using namespace weft;
using namespace weft::seq2seq;

TEST_CASE("a target's tokens have the probabilities of teacher forcing and the weights of a search that is told the same") {
  for (const auto& model : test::small_models()) {
    CAPTURE(model->type_name());
    const Batch batch = test::small_batch();
    const auto read = forced_decoding(*model, batch);
    REQUIRE(read.size() == 3);
    for (std::size_t r = 0; r < 3; ++r) {
      const TokenIds& source = test::small_source()[r];
      const TokenIds& target = test::small_target()[r];
      REQUIRE(read[r].log_probabilities.size() == target.size() + 1);
      test::Rereading rereading(*model, source);
      double sum = 0;
      for (const double each : read[r].log_probabilities) sum += each;
      CHECK(sum == doctest::Approx(rereading.log_probability(target, true)).epsilon(1e-9));
      for (std::size_t t = 0; t < target.size(); ++t) {
        const TokenIds before(target.begin(), target.begin() + static_cast<std::ptrdiff_t>(t));
        CHECK(read[r].log_probabilities[t] ==
              doctest::Approx(rereading.next(before)[static_cast<std::size_t>(target[t])]).epsilon(1e-9));
      }
      const auto tokens = static_cast<std::int64_t>(target.size()), places = static_cast<std::int64_t>(source.size());
      REQUIRE(read[r].attention.shape() == Shape{tokens + 1, places});
      const std::vector<const TokenIds*> alone = {&source};
      const std::vector<TokenIds> told = {target};
      const auto found = beam_search(*model, pad(alone), {.beam = 1, .max_length = tokens + 1, .attention = true}, told);
      CHECK(test::largest_difference(read[r].attention.slice(0, 0, tokens), found[0][0].attention.slice(0, 0, tokens)) < 1e-6);
    }
  }
}

TEST_CASE("a target of no steps has no tokens and no rows of weights") {
  EncoderDecoder model(test::small_options());
  Batch batch = test::small_batch();
  const std::int64_t rows = batch.target_out.size(0);
  batch.target_in = batch.target_out = Tensor::zeros({rows, 0}, i32);
  batch.target_lengths = Tensor::zeros({rows}, i64);
  const auto found = forced_decoding(model, batch);
  CHECK(found.size() == static_cast<std::size_t>(rows));
  for (std::size_t row = 0; row < found.size(); ++row) {
    CHECK(found[row].log_probabilities.empty());
    CHECK(found[row].attention.shape() == Shape{0, batch.source.lengths.data<std::int64_t>()[row]});
  }
}

TEST_CASE("forced decoding says what it can't do") {
  EncoderDecoderOptions options = test::small_options();
  EncoderDecoder model(options);
  Batch batch = test::small_batch();
  batch.target_out = Tensor::full(batch.target_out.shape(), 99, i32);
  CHECK_THROWS_WITH_AS(forced_decoding(model, batch), "[forced_decoding] token 99 of row 0 at step 0 is outside 0..6",
                       IndexError);
  batch = test::small_batch();
  batch.target_lengths = {};
  CHECK_THROWS_WITH_AS(forced_decoding(model, batch), "[forced_decoding] the batch has no target lengths", ValueError);
  batch = test::small_batch();
  batch.source.lengths = Tensor::full({3}, 9, i64);
  CHECK_THROWS_AS(forced_decoding(model, batch), ValueError);
  batch = test::small_batch();
  batch.target_in = Tensor::full({batch.target_in.size(0), batch.target_in.size(1) + 1}, begin_id, i32);
  CHECK_THROWS_WITH_AS(forced_decoding(model, batch), doctest::Contains("don't fit targets"), ShapeError);
  batch.target_in = {};
  CHECK_THROWS_WITH_AS(forced_decoding(model, batch), "[forced_decoding] the batch has no targets", ValueError);
  options.attention = AttentionKind::none;
  EncoderDecoder blind(options);
  CHECK_THROWS_WITH_AS(forced_decoding(blind, test::small_batch()),
                       "[forced_decoding] the model has no attention, whose weights are asked for", ValueError);
  batch = test::small_batch();
  batch.target_in = batch.target_out = Tensor::zeros({3, 0}, i32);
  batch.target_lengths = Tensor::zeros({3}, i64);
  CHECK_THROWS_AS(forced_decoding(blind, batch), ValueError);  // of no steps too
}
