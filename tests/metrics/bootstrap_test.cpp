#include "weft/metrics/bootstrap.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <span>

#include "weft/base/error.hpp"
#include "weft/base/random.hpp"
#include "weft/metrics/bleu.hpp"
#include "weft/metrics/chrf.hpp"
#include "weft/metrics/error_rate.hpp"
#include "weft/metrics/ter.hpp"

using namespace weft;
using namespace weft::metrics;
using doctest::Approx;

namespace {

using Lines = std::vector<std::string>;

/// The mean of numbers, one a sentence.
SentenceStatistics mean_of(const std::vector<double>& numbers) {
  SentenceStatistics statistics{.width = 2, .score = [](std::span<const double> sum) { return sum[0] / sum[1]; }};
  for (const double number : numbers) statistics.values.insert(statistics.values.end(), {number, 1.0});
  return statistics;
}

std::vector<double> uniform(std::uint64_t seed, int count) {
  Generator generator(seed);
  std::vector<double> numbers;
  for (int i = 0; i < count; ++i) numbers.push_back(generator.uniform());
  return numbers;
}

const Lines hypotheses = {"the cat sat on the mat .", "a dog runs through the park", "it rains", "two men play"};
const Lines references = {"the cat sat on a mat .", "a dog is running through the park", "it is raining",
                          "two men are playing"};

}  // namespace

TEST_CASE("the interval of a mean is the one that its standard error gives") {
  const auto numbers = uniform(3, 400);
  double mean = 0, variance = 0;
  for (const double x : numbers) mean += x / 400;
  for (const double x : numbers) variance += (x - mean) * (x - mean) / 400;
  const double error = std::sqrt(variance / 400);
  const auto interval = bootstrap(mean_of(numbers), {.samples = 4000});
  CHECK(interval.score == Approx(mean));
  CHECK(interval.mean == Approx(mean).epsilon(0.005));
  CHECK(interval.low == Approx(mean - 1.96 * error).epsilon(0.01));
  CHECK(interval.high == Approx(mean + 1.96 * error).epsilon(0.01));
  const auto narrower = bootstrap(mean_of(numbers), {.samples = 4000, .confidence = 0.5});
  CHECK(narrower.high - narrower.low == Approx(2 * 0.6745 * error).epsilon(0.1));
  CHECK(narrower.str().ends_with("(50 %)"));
}

TEST_CASE("a seed gives the same resamples again, another one others") {
  const auto statistics = mean_of(uniform(1, 50));
  CHECK(bootstrap(statistics).low == bootstrap(statistics).low);
  CHECK(bootstrap(statistics).low != bootstrap(statistics, {.seed = 1}).low);
}

TEST_CASE("resamples of one sentence are that sentence") {
  const auto interval = bootstrap(mean_of({3}), {.samples = 1, .confidence = 0.9});
  CHECK(interval.low == 3);
  CHECK(interval.high == 3);
  CHECK(interval.str() == "3.00 [3.00, 3.00] (90 %)");
}

TEST_CASE("statistics have the score of the metric that they are of") {
  CHECK(corpus_score(bleu_statistics(hypotheses, {references})) == bleu(hypotheses, {references}).score);
  const BleuOptions floor{.tokenize = Tokenization::intl, .smooth = Smoothing::floor, .max_order = 3};
  CHECK(corpus_score(bleu_statistics(hypotheses, {references, hypotheses}, floor)) ==
        bleu(hypotheses, {references, hypotheses}, floor).score);
  CHECK(corpus_score(chrf_statistics(hypotheses, {references})) == chrf(hypotheses, {references}).score);
  CHECK(corpus_score(chrf_statistics(hypotheses, {references}, {.word_order = 2, .beta = 1})) ==
        chrf(hypotheses, {references}, {.word_order = 2, .beta = 1}).score);
  CHECK(corpus_score(ter_statistics(hypotheses, {references})) == ter(hypotheses, {references}).score);
  CHECK(corpus_score(wer_statistics(hypotheses, references)) == wer(hypotheses, references).score);
  CHECK(corpus_score(cer_statistics(hypotheses, references)) == cer(hypotheses, references).score);
  // Of some sentences: the score of the corpus that they make.
  const auto statistics = bleu_statistics(hypotheses, {references});
  const auto width = static_cast<std::size_t>(statistics.width);
  std::vector<double> sum(width, 0.0);
  for (const std::size_t i : {0U, 1U, 1U})
    for (std::size_t k = 0; k < width; ++k) sum[k] += statistics.values[i * width + k];
  CHECK(statistics.score(sum) ==
        bleu({hypotheses[0], hypotheses[1], hypotheses[1]}, {{references[0], references[1], references[1]}}).score);
}

TEST_CASE("two systems are compared on the same resamples") {
  const auto numbers = uniform(5, 200);
  auto better = numbers;
  for (auto& x : better) x += 0.01;  // less than the scores' own intervals are wide, but in every sentence
  const auto result = paired_bootstrap(mean_of(better), mean_of(numbers));
  CHECK(result.difference.score == Approx(0.01));
  CHECK(result.difference.low == Approx(0.01));
  CHECK(result.difference.high == Approx(0.01));
  CHECK(result.a.low < result.b.high);
  CHECK(result.a_higher == 1);
  CHECK(result.b_higher == 0);
  CHECK(result.p_value == Approx(1.0 / 1001));
  CHECK(result.a.low == bootstrap(mean_of(better)).low);
  CHECK(result.str().find("p = 0.0010, a higher in 100.0 %, b in 0.0 %") != std::string::npos);
}

TEST_CASE("systems that don't differ have a p-value that says so") {
  const auto numbers = uniform(5, 100), others = uniform(6, 100);
  const auto same = paired_bootstrap(mean_of(numbers), mean_of(numbers));
  CHECK(same.p_value == 1);
  CHECK(same.a_higher == 0);
  CHECK(same.b_higher == 0);
  const auto chance = paired_bootstrap(mean_of(numbers), mean_of(others)),
             turned = paired_bootstrap(mean_of(others), mean_of(numbers));
  CHECK(chance.p_value > 0.05);
  CHECK(chance.p_value < 1);
  CHECK(turned.p_value == Approx(chance.p_value));
  CHECK(turned.difference.score == -chance.difference.score);
  CHECK(turned.b_higher == chance.a_higher);
}

TEST_CASE("what can't be resampled is refused") {
  const auto statistics = mean_of({1, 2});
  CHECK_THROWS_WITH_AS(bootstrap(statistics, {.samples = 0}), "[bootstrap] samples is 0; it must be at least 1", ValueError);
  CHECK_THROWS_WITH_AS(bootstrap(statistics, {.confidence = 1}), "[bootstrap] confidence is 1; it must lie between 0 and 1",
                       ValueError);
  CHECK_THROWS_AS(bootstrap(statistics, {.confidence = std::nan("")}), ValueError);
  CHECK_THROWS_WITH_AS(bootstrap(mean_of({})), "[bootstrap] there are no sentences", ValueError);
  CHECK_THROWS_WITH_AS(bootstrap({}), "[bootstrap] the statistics have no score", ValueError);
  CHECK_THROWS_WITH_AS(paired_bootstrap(statistics, mean_of({1})), "[paired_bootstrap] 2 sentences of a, but 1 of b",
                       ValueError);
  const SentenceStatistics wider{.width = 3, .values = {1, 2, 3, 4, 5, 6}, .score = statistics.score};
  CHECK_THROWS_WITH_AS(paired_bootstrap(statistics, wider),
                       "[paired_bootstrap] 2 numbers a sentence of a, but 3 of b: statistics of two metrics", ValueError);
  auto torn = statistics;
  torn.values.pop_back();
  CHECK_THROWS_WITH_AS(corpus_score(torn), "[corpus_score] 3 values don't make whole rows of 2", ValueError);
  auto odd = statistics;
  odd.score = [](std::span<const double>) { return std::nan(""); };
  CHECK_THROWS_WITH_AS(bootstrap(odd), "[bootstrap] a resample of the 2 sentences has the score nan", NumericError);
  const auto impossible = mean_of({-std::numeric_limits<double>::infinity()});
  CHECK_THROWS_WITH_AS(paired_bootstrap(impossible, impossible),
                       "[paired_bootstrap] a resample of the 1 sentences has the score -inf", NumericError);
  CHECK_THROWS_AS(paired_bootstrap(statistics, odd), NumericError);
  CHECK_THROWS_AS(bleu_statistics({"a"}, {{"a"}}, {.max_order = 0}), ValueError);
  CHECK_THROWS_AS(bleu_statistics({"a"}, {{"a"}}, {.max_order = 1 << 30}), ValueError);
  CHECK_THROWS_AS(chrf_statistics({"a"}, {{"a\xFF"}}), FormatError);
}
