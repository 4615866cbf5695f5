#include "weft/nn/ctc_decode.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>

#include "support/lengths.hpp"
#include "support/random.hpp"
#include "weft/base/error.hpp"
#include "weft/ops/sequence_loss.hpp"
#include "weft/ops/softmax.hpp"

using namespace weft;
using doctest::Contains;
using test::lengths_of;
using test::uniform;

namespace {

using Labels = std::vector<std::int64_t>;
constexpr double inf = std::numeric_limits<double>::infinity(), not_a_number = std::numeric_limits<double>::quiet_NaN();

// The probability of every sequence of labels: that of each alignment of [time, classes], added up.
std::map<Labels, double> every_sequence(const Tensor& logits, std::int64_t blank) {
  const Tensor p = softmax(logits, 1).value();
  std::map<Labels, double> result;
  std::vector<std::int64_t> alignment(static_cast<std::size_t>(p.size(0)));
  while (true) {
    double probability = 1;
    Labels labels;
    std::int64_t last = blank, t = 0;
    for (const std::int64_t symbol : alignment) {
      probability *= p.at({t++, symbol});
      if (symbol != last && symbol != blank) labels.push_back(symbol);
      last = symbol;
    }
    result[labels] += probability;
    auto place = alignment.begin();
    while (place != alignment.end() && ++*place == p.size(1)) *place++ = 0;
    if (place == alignment.end()) return result;
  }
}

}  // namespace

TEST_CASE("a wide CTC beam finds every sequence of labels, with the probabilities of exhaustive enumeration") {
  for (const std::int64_t blank : {0, 2}) {
    CAPTURE(blank);
    const Tensor logits = uniform({1, 5, 3}, -2, 2, 1);
    const std::map<Labels, double> expected = every_sequence(logits.select(0, 0), blank);
    const auto found = nn::ctc_beam_search(logits, {}, {.blank = blank, .beam_width = 1000, .n_best = 1000})[0];
    REQUIRE(found.size() == expected.size());
    double last = 0, total = 0;
    for (const nn::DecodedLabels& hypothesis : found) {
      REQUIRE(expected.count(hypothesis.labels) == 1);
      const double probability = std::exp(hypothesis.log_probability);
      CHECK(probability == doctest::Approx(expected.at(hypothesis.labels)).epsilon(1e-12));
      CHECK(hypothesis.log_probability <= last);
      last = hypothesis.log_probability;
      total += probability;
    }
    CHECK(total == doctest::Approx(1).epsilon(1e-12));
  }
}

TEST_CASE("the probabilities of a wide CTC beam are those of ctc_loss, in f32 too") {
  for (const DType dtype : {f32, f64}) {
    const Tensor logits = uniform({1, 6, 4}, -3, 3, 2, dtype);
    const auto found = nn::ctc_beam_search(logits, {}, {.beam_width = 5000, .n_best = 20});
    for (const nn::DecodedLabels& hypothesis : found[0]) {
      const auto count = static_cast<std::int64_t>(hypothesis.labels.size());
      const Tensor targets = Tensor::from(std::span<const std::int64_t>(hypothesis.labels), {1, count});
      const double loss = ctc_loss(logits, targets, {}, {}, {.reduction = LossReduction::sum}).item();
      CHECK(-hypothesis.log_probability == doctest::Approx(loss).epsilon(dtype == f32 ? 1e-5 : 1e-12));
    }
  }
}

TEST_CASE("the best labels needn't be those of the best alignment") {
  // Blank and the label alternate in probability: 0.6 0.4 each, so the label is at 1 - 0.36 in all.
  const Tensor logits = Tensor::from<double>({std::log(0.6), std::log(0.4), std::log(0.6), std::log(0.4)}, {1, 2, 2});
  const auto greedy = nn::ctc_greedy(logits);
  CHECK(greedy[0].labels.empty());
  CHECK(greedy[0].log_probability == doctest::Approx(std::log(0.36)).epsilon(1e-12));
  const auto beam = nn::ctc_beam_search(logits, {}, {.n_best = 2});
  CHECK(beam[0][0].labels == Labels{1});
  CHECK(beam[0][0].log_probability == doctest::Approx(std::log(0.64)).epsilon(1e-12));
  CHECK(beam[0][1].labels.empty());
}

TEST_CASE("greedy CTC takes out repeated labels, then blanks") {
  const std::int64_t path[] = {1, 1, 0, 1, 2, 2, 0, 0, 3};
  Tensor logits = Tensor::zeros({1, 9, 4}, f64);
  for (std::int64_t t = 0; t < 9; ++t) {
    Tensor best = logits.select(0, 0).select(0, t).slice(0, path[t], path[t] + 1);
    best.fill(5);
  }
  const nn::DecodedLabels all = nn::ctc_greedy(logits)[0];
  CHECK(all.labels == Labels{1, 1, 2, 3});
  CHECK(all.log_probability == doctest::Approx(9 * (5 - std::log(std::exp(5) + 3))).epsilon(1e-12));
  CHECK(nn::ctc_greedy(logits, {}, 2)[0].labels == Labels{1, 0, 1, 0, 3});
  CHECK(nn::ctc_beam_search(logits)[0][0].labels == all.labels);
  const Tensor equal = Tensor::zeros({1, 2, 3});
  CHECK(nn::ctc_greedy(equal)[0].labels.empty());  // of equal classes the first
}

TEST_CASE("CTC decoding of a batch gives what each row gives alone, whatever stands behind its length") {
  Tensor logits = uniform({4, 6, 5}, -2, 2, 3);
  const Tensor clean = logits.clone();
  const std::int64_t lengths[] = {6, 3, 0, 1};
  for (std::int64_t row = 0; row < 4; ++row) {
    Tensor behind = logits.select(0, row).slice(0, lengths[row], 6);
    behind.fill(not_a_number);
  }
  const Tensor given = lengths_of({6, 3, 0, 1});
  const auto greedy = nn::ctc_greedy(logits, given);
  const auto beam = nn::ctc_beam_search(logits, given, {.beam_width = 4, .n_best = 3});
  for (std::int64_t row = 0; row < 4; ++row) {
    CAPTURE(row);
    const auto i = static_cast<std::size_t>(row);
    const Tensor alone = clean.slice(0, row, row + 1).slice(1, 0, lengths[row]);
    CHECK(nn::ctc_greedy(alone)[0].labels == greedy[i].labels);
    CHECK(nn::ctc_greedy(alone)[0].log_probability == greedy[i].log_probability);
    const auto single = nn::ctc_beam_search(alone, {}, {.beam_width = 4, .n_best = 3})[0];
    REQUIRE(single.size() == beam[i].size());
    for (std::size_t k = 0; k < single.size(); ++k) {
      CHECK(single[k].labels == beam[i][k].labels);
      CHECK(single[k].log_probability == beam[i][k].log_probability);
    }
  }
  REQUIRE(beam[2].size() == 1);
  CHECK(beam[2][0].labels.empty());
  CHECK(beam[2][0].log_probability == 0);
  CHECK(nn::ctc_greedy(Tensor::zeros({0, 3, 2})).empty());
  CHECK(nn::ctc_beam_search(Tensor::zeros({2, 0, 2})).size() == 2);
}

TEST_CASE("a wider CTC beam finds nothing worse, and impossible classes nowhere") {
  const Tensor logits = uniform({1, 8, 6}, -2, 2, 5);
  double last = -inf;
  for (const std::int64_t width : {1, 2, 4, 16, 64}) {
    const double best = nn::ctc_beam_search(logits, {}, {.beam_width = width})[0][0].log_probability;
    CHECK(best >= last);
    last = best;
  }
  Tensor without = logits.clone();
  Tensor third = without.slice(2, 3, 4);
  third.fill(-inf);
  const auto found = nn::ctc_beam_search(without, {}, {.beam_width = 300, .n_best = 300});
  for (const nn::DecodedLabels& hypothesis : found[0])
    CHECK(std::count(hypothesis.labels.begin(), hypothesis.labels.end(), 3) == 0);
}

TEST_CASE("what can't be decoded by CTC is refused") {
  const Tensor logits = Tensor::zeros({2, 3, 4});
  CHECK_THROWS_WITH_AS(nn::ctc_greedy(Tensor::zeros({3, 4})),
                       Contains("[ctc_greedy] logits f32[3, 4] are not [batch, time, classes]"), ShapeError);
  CHECK_THROWS_WITH_AS(nn::ctc_greedy(logits, {}, 4), Contains("blank 4 is no class of logits f32[2, 3, 4]"), IndexError);
  CHECK_THROWS_AS(nn::ctc_beam_search(logits, {}, {.blank = -1}), IndexError);
  CHECK_THROWS_WITH_AS(nn::ctc_beam_search(logits, lengths_of({4, 1})), Contains("[ctc_beam_search] length 4 of row 0"),
                       ValueError);
  CHECK_THROWS_AS(nn::ctc_greedy(logits, lengths_of({1})), ShapeError);
  CHECK_THROWS_AS(nn::ctc_greedy(logits, Tensor::zeros({2})), DTypeError);
  CHECK_THROWS_AS(nn::ctc_greedy(Tensor::zeros({2, 3, 4}, i64)), DTypeError);
  CHECK_THROWS_AS(nn::ctc_greedy(Tensor()), ValueError);
  CHECK_THROWS_WITH_AS(nn::ctc_beam_search(logits, {}, {.beam_width = 0}), Contains("beam_width is 0"), ValueError);
  CHECK_THROWS_WITH_AS(nn::ctc_beam_search(logits, {}, {.beam_width = 2, .n_best = 3}), Contains("n_best is 3"), ValueError);
  for (const double value : {not_a_number, inf, -inf}) {
    Tensor bad = Tensor::zeros({2, 3, 4});
    Tensor frame = bad.select(0, 1).select(0, 2);
    frame.fill(value);
    CHECK_THROWS_WITH_AS(nn::ctc_beam_search(bad), Contains("frame 2 of row 1 has no probabilities"), ValueError);
  }
}
