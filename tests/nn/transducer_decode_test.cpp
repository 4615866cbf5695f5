#include "weft/nn/transducer_decode.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "support/lengths.hpp"
#include "support/random.hpp"
#include "weft/base/error.hpp"
#include "weft/ops/sequence_loss.hpp"
#include "weft/ops/softmax.hpp"

using namespace weft;
using doctest::Contains;
using test::lengths_of;

namespace {

using Labels = std::vector<std::int64_t>;
constexpr double not_a_number = std::numeric_limits<double>::quiet_NaN();
constexpr std::int64_t classes = 3;

// A model: any numbers, which depend on the frame of the row and on every label.
Tensor logits_of(std::int64_t row, std::int64_t frame, const Labels& labels) {
  auto seed = static_cast<std::uint64_t>(1000 * row + frame);
  for (const std::int64_t label : labels) seed = seed * 31 + static_cast<std::uint64_t>(label) + 7;
  return test::uniform({classes}, -2, 2, seed);
}

// The same rows under other numbers.
nn::TransducerScores scores_of(Labels rows) {
  return [rows = std::move(rows)](const std::vector<nn::TransducerPlace>& places) {
    Tensor result = Tensor::empty({static_cast<std::int64_t>(places.size()), classes}, f64);
    std::int64_t i = 0;
    for (const nn::TransducerPlace& place : places) {
      Tensor to = result.select(0, i++);
      to.copy_from(logits_of(rows[static_cast<std::size_t>(place.row)], place.frame, place.labels));
    }
    return result;
  };
}

// log of the summed probability of a row's alignments with labels, by transducer_loss.
double log_probability(std::int64_t row, std::int64_t frames, const Labels& labels) {
  const auto count = static_cast<std::int64_t>(labels.size());
  Tensor logits = Tensor::empty({1, frames, count + 1, classes}, f64);
  for (std::int64_t t = 0; t < frames; ++t)
    for (std::int64_t u = 0; u <= count; ++u) {
      Tensor to = logits.select(0, 0).select(0, t).select(0, u);
      to.copy_from(logits_of(row, t, Labels(labels.begin(), labels.begin() + u)));
    }
  const Tensor targets = Tensor::from(std::span<const std::int64_t>(labels), {1, count});
  return -transducer_loss(logits, targets, {}, {}, {.reduction = LossReduction::sum}).item();
}

}  // namespace

TEST_CASE("a wide transducer beam finds every sequence of labels, with the probabilities of transducer_loss") {
  std::vector<Labels> expected{{}};
  for (std::size_t i = 0; expected[i].size() < 3; ++i)
    for (const std::int64_t label : {1, 2}) {
      expected.push_back(expected[i]);
      expected.back().push_back(label);
    }
  const auto found =
      nn::transducer_beam_search(scores_of({0}), lengths_of({3}), {.max_labels = 3, .beam_width = 100, .n_best = 100});
  REQUIRE(found[0].size() == expected.size());
  double last = 0;
  for (const nn::DecodedLabels& sequence : found[0]) {
    CHECK(std::count(expected.begin(), expected.end(), sequence.labels) == 1);
    CHECK(sequence.log_probability == doctest::Approx(log_probability(0, 3, sequence.labels)).epsilon(1e-12));
    CHECK(sequence.log_probability <= last);
    last = sequence.log_probability;
  }
}

TEST_CASE("greedy transducer decoding follows the best class at each place") {
  const nn::DecodedLabels found = nn::transducer_greedy(scores_of({4}), lengths_of({5}), {.max_labels = 4})[0];
  Labels labels;
  double total = 0;
  for (std::int64_t t = 0; t < 5;) {
    const Tensor p = log_softmax(logits_of(4, t, labels), 0).value();
    std::int64_t best = 0;
    for (const std::int64_t k : {1, 2})
      if (labels.size() < 4 && p.at({k}) > p.at({best})) best = k;
    total += p.at({best});
    if (best == 0)
      ++t;
    else
      labels.push_back(best);
  }
  CHECK(found.labels == labels);
  CHECK(found.log_probability == doctest::Approx(total).epsilon(1e-12));
}

TEST_CASE("transducer decoding of a batch gives what each row gives alone; a wider beam finds nothing worse") {
  const Labels rows{0, 1, 2, 3};
  const std::int64_t lengths[] = {4, 2, 0, 3};
  const Tensor given = lengths_of({4, 2, 0, 3});
  const auto greedy = nn::transducer_greedy(scores_of(rows), given, {.max_labels = 5});
  const auto beam = nn::transducer_beam_search(scores_of(rows), given, {.max_labels = 5, .beam_width = 3, .n_best = 2});
  for (std::size_t row = 0; row < 4; ++row) {
    CAPTURE(row);
    const auto alone = nn::transducer_greedy(scores_of({rows[row]}), lengths_of({lengths[row]}), {.max_labels = 5});
    CHECK(alone[0].labels == greedy[row].labels);
    CHECK(alone[0].log_probability == greedy[row].log_probability);
    const auto single = nn::transducer_beam_search(scores_of({rows[row]}), lengths_of({lengths[row]}),
                                                   {.max_labels = 5, .beam_width = 3, .n_best = 2});
    REQUIRE(single[0].size() == beam[row].size());
    for (std::size_t k = 0; k < single[0].size(); ++k) {
      CHECK(single[0][k].labels == beam[row][k].labels);
      CHECK(single[0][k].log_probability == beam[row][k].log_probability);
    }
    const auto wide = nn::transducer_beam_search(scores_of(rows), given, {.max_labels = 5, .beam_width = 200});
    CHECK(wide[row][0].log_probability >= beam[row][0].log_probability);
  }
  REQUIRE(beam[2].size() == 1);
  CHECK(beam[2][0].labels.empty());
  CHECK(beam[2][0].log_probability == 0);
  CHECK(nn::transducer_greedy(scores_of({}), Tensor::zeros({0}, i64)).empty());
}

TEST_CASE("a model that never says blank ends at max_labels") {
  const auto scores = [](const std::vector<nn::TransducerPlace>& places) {
    Tensor result = Tensor::zeros({static_cast<std::int64_t>(places.size()), 2}, f64);
    Tensor label = result.slice(1, 1, 2);
    label.fill(50);
    return result;
  };
  CHECK(nn::transducer_greedy(scores, lengths_of({3}), {.max_labels = 7})[0].labels.size() == 7);
  for (const auto& row :
       nn::transducer_beam_search(scores, lengths_of({3, 3}), {.max_labels = 7, .beam_width = 2, .n_best = 2}))
    for (const nn::DecodedLabels& sequence : row) CHECK(sequence.labels.size() <= 7);
}

TEST_CASE("what can't be decoded as a transducer is refused") {
  const nn::TransducerScores scores = scores_of({0, 1});
  const Tensor lengths = lengths_of({2, 1});
  CHECK_THROWS_WITH_AS(nn::transducer_greedy(scores, lengths, {.blank = 3}),
                       Contains("[transducer_greedy] blank 3 is no class"), IndexError);
  CHECK_THROWS_WITH_AS(nn::transducer_greedy(scores, lengths_of({2, -1})), Contains("length -1 of row 1 is negative"),
                       ValueError);
  CHECK_THROWS_AS(nn::transducer_greedy(scores, Tensor()), ValueError);
  CHECK_THROWS_AS(nn::transducer_greedy(scores, Tensor::zeros({2})), DTypeError);
  CHECK_THROWS_AS(nn::transducer_greedy(scores, Tensor::zeros({2, 1}, i64)), ShapeError);
  CHECK_THROWS_AS(nn::transducer_greedy(nn::TransducerScores(), lengths), ValueError);
  CHECK_THROWS_AS(nn::transducer_greedy(scores, lengths, {.max_labels = -1}), ValueError);
  CHECK_THROWS_WITH_AS(nn::transducer_beam_search(scores, lengths, {.beam_width = 0}), Contains("beam_width is 0"), ValueError);
  CHECK_THROWS_AS(nn::transducer_beam_search(scores, lengths, {.beam_width = 2, .n_best = 3}), ValueError);
  const auto fixed = [](const Tensor& value) { return [value](const std::vector<nn::TransducerPlace>&) { return value; }; };
  CHECK_THROWS_WITH_AS(nn::transducer_greedy(fixed(Tensor::zeros({3, 4})), lengths),
                       Contains("scores f32[3, 4] of 2 places are not [places, classes]"), ShapeError);
  CHECK_THROWS_AS(nn::transducer_greedy(fixed(Tensor::zeros({2, 4}, i64)), lengths), DTypeError);
  CHECK_THROWS_AS(nn::transducer_greedy(fixed(Tensor()), lengths), ValueError);
  CHECK_THROWS_WITH_AS(nn::transducer_beam_search(fixed(Tensor::full({1, 4}, not_a_number)), lengths),
                       Contains("[transducer_beam_search] frame 0 of row 0 has no probabilities"), ValueError);
}
