#include "weft/seq2seq/sampling.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>

#include "seq2seq/rereading.hpp"
#include "support/threads.hpp"
#include "weft/base/error.hpp"
#include "weft/base/threads.hpp"
#include "weft/seq2seq/beam_search.hpp"

using namespace weft;
using namespace weft::seq2seq;

namespace {

std::vector<Hypothesis> sample_alone(Model& model, const TokenIds& source, const SampleOptions& options,
                                     const TokenIds& prefix = {}) {
  const std::vector<const TokenIds*> rows = {&source};
  const std::vector<TokenIds> prefixes = {prefix};
  return sample(model, pad(rows), options, prefixes)[0];
}

// Softmax at a temperature, then only the likeliest, by definition: whatever can be left out is tried from the unlikeliest up.
std::vector<double> plain_filter(const std::vector<double>& scores, const TokenFilter& f) {
  std::vector<double> p;
  for (const double score : scores) p.push_back(std::exp(score / f.temperature));
  const auto normalise = [&] {
    const double sum = std::accumulate(p.begin(), p.end(), 0.0);
    for (double& each : p) each /= sum;
  };
  const auto unlikeliest = [&] {
    std::size_t found = p.size();
    for (std::size_t i = 0; i < p.size(); ++i)
      if (p[i] > 0 && (found == p.size() || p[i] <= p[found])) found = i;
    return found;
  };
  normalise();
  while (f.top_k > 0 && std::count_if(p.begin(), p.end(), [](double x) { return x > 0; }) > f.top_k) p[unlikeliest()] = 0;
  normalise();
  double left = 1;
  while (f.top_p < 1 && left - p[unlikeliest()] >= f.top_p) {
    left -= p[unlikeliest()];
    p[unlikeliest()] = 0;
  }
  normalise();
  return p;
}

const TokenFilter filters[] = {
    {},           {.temperature = 0.4}, {.temperature = 3}, {.top_k = 1},
    {.top_k = 3}, {.top_p = 0.5},       {.top_p = 0.9},     {.temperature = 1.7, .top_k = 4, .top_p = 0.8}};

}  // namespace

TEST_CASE("filtered softmax keeps what it says") {
  const std::vector<float> logits = {0.5F, -1, 2, 0.25F, 1.5F, -3, 0};
  const std::vector<double> scores(logits.begin(), logits.end());
  for (const TokenFilter& filter : filters) {
    CAPTURE(filter.temperature);
    CAPTURE(filter.top_k);
    CAPTURE(filter.top_p);
    const auto found = filtered_softmax(logits, filter), expected = plain_filter(scores, filter);
    REQUIRE(found.size() == expected.size());
    for (std::size_t i = 0; i < found.size(); ++i) CHECK(found[i] == doctest::Approx(expected[i]).epsilon(1e-12));
  }
}

TEST_CASE("filtered softmax at its edges") {
  constexpr float none = -INFINITY;
  using Probabilities = std::vector<double>;
  // Of equal ones the lower ids stay.
  CHECK(filtered_softmax(std::vector<float>{1, 1, 1, 1}, {.top_k = 2}) == Probabilities{0.5, 0.5, 0, 0});
  CHECK(filtered_softmax(std::vector<float>{1, 1, 1, 1}, {.top_p = 0.5}) == Probabilities{0.5, 0.5, 0, 0});
  CHECK(filtered_softmax(std::vector<float>{1, 1, 1, 1}, {.top_p = 0.51})[2] > 0);
  CHECK(filtered_softmax(std::vector<float>{0, 1, 0}, {.top_p = 1e-300}) == Probabilities{0, 1, 0});
  CHECK(filtered_softmax(std::vector<float>{none, 3, none}, {}) == Probabilities{0, 1, 0});
  CHECK(filtered_softmax(std::vector<float>{1, 2}, {.top_k = 100})[0] > 0);
  // Nothing overflows, however cold or large.
  CHECK(filtered_softmax(std::vector<float>{1e38F, -1e38F}, {.temperature = 1e-300}) == Probabilities{1, 0});
  CHECK(filtered_softmax(std::vector<float>{1, 2, 3}, {.temperature = 1e300})[0] == doctest::Approx(1.0 / 3));
  CHECK_THROWS_WITH_AS(filtered_softmax(std::vector<float>{none, none}, {}), "[filtered_softmax] no token of 2 is possible",
                       NumericError);
  CHECK_THROWS_AS(filtered_softmax({}, {}), NumericError);
  CHECK_THROWS_WITH_AS(filtered_softmax(std::vector<float>{1, NAN}, {}), "[filtered_softmax] the logit of token 1 is nan",
                       NumericError);
  CHECK_THROWS_AS(filtered_softmax(std::vector<float>{INFINITY}, {}), NumericError);
}

TEST_CASE("tokens are drawn as often as the filtered softmax says") {
  constexpr std::int64_t samples = 4000;
  for (const auto& model : test::small_models())
    for (const TokenFilter& filter : filters) {
      CAPTURE(model->type_name());
      CAPTURE(filter.temperature);
      CAPTURE(filter.top_k);
      CAPTURE(filter.top_p);
      const TokenIds& source = test::small_source()[0];
      test::Rereading reading(*model, source);
      std::map<TokenIds, std::map<std::int32_t, double>> counts;  // of what followed each beginning
      for (const Hypothesis& each : sample_alone(*model, source, {.samples = samples, .filter = filter, .max_length = 2})) {
        const bool ended = each.ids.size() < 2;
        CHECK(each.log_probability == doctest::Approx(reading.log_probability(each.ids, ended)).epsilon(1e-5));
        CHECK(each.score == each.log_probability);
        ++counts[{}][each.ids.empty() ? end_id : each.ids[0]];
        if (!each.ids.empty()) ++counts[{each.ids[0]}][ended ? end_id : each.ids[1]];
      }
      for (auto& [before, following] : counts) {
        std::vector<double> scores = reading.next(before);
        scores[pad_id] = scores[begin_id] = -INFINITY;
        const std::vector<double> expected = plain_filter(scores, filter);
        double total = 0;
        for (const auto& [token, count] : following) total += count;
        for (std::size_t token = 0; token < expected.size(); ++token) {
          const double p = expected[token], share = following[static_cast<std::int32_t>(token)] / total;
          if (p == 0) CHECK(share == 0);
          CHECK(std::abs(share - p) <= 4.5 * std::sqrt(p * (1 - p) / total));  // the seed is fixed
        }
      }
    }
}

TEST_CASE("samples depend on seed and sentence, not on batch, threads or how many there are") {
  const test::ThreadsGuard guard;
  deterministic(true);
  for (const auto& model : test::small_models()) {
    CAPTURE(model->type_name());
    set_num_threads(1);
    const SampleOptions options{.samples = 5, .filter = {.top_p = 0.95}, .seed = 7};
    const auto together = sample(*model, pad(test::pointers(test::small_source())), options);
    for (const int threads : {1, 2, 4}) {
      set_num_threads(threads);
      for (std::size_t r = 0; r < together.size(); ++r) {
        const auto alone = sample_alone(*model, test::small_source()[r], options);
        auto fewer = options;
        fewer.samples = 2;
        const auto two = sample_alone(*model, test::small_source()[r], fewer);
        for (std::size_t i = 0; i < alone.size(); ++i) {
          CHECK(together[r][i].ids == alone[i].ids);
          if (i < two.size()) CHECK(two[i].ids == alone[i].ids);
        }
      }
    }
    auto other = options;
    other.seed = 8;
    const auto differing = sample(*model, pad(test::pointers(test::small_source())), other);
    bool differs = false;
    for (std::size_t r = 0; r < together.size(); ++r)
      for (std::size_t i = 0; i < together[r].size(); ++i) differs = differs || together[r][i].ids != differing[r][i].ids;
    CHECK(differs);
  }
}

TEST_CASE("only the likeliest token is greedy search") {
  for (const auto& model : test::small_models())
    for (const TokenIds& source : test::small_source()) {
      CAPTURE(model->type_name());
      const std::vector<const TokenIds*> rows = {&source};
      const auto greedy = beam_search(*model, pad(rows), {.beam = 1, .attention = true})[0].front();
      for (const TokenFilter& filter :
           {TokenFilter{.top_k = 1}, TokenFilter{.top_p = 1e-9}, TokenFilter{.temperature = 1e-9}}) {
        const auto drawn = sample_alone(*model, source, {.filter = filter, .attention = true}).front();
        CHECK(drawn.ids == greedy.ids);
        CHECK(drawn.log_probability == doctest::Approx(greedy.log_probability));
        CHECK(drawn.attention.shape() == greedy.attention.shape());
      }
    }
}

TEST_CASE("samples begin with their prefix and repeat no n-gram") {
  for (const auto& model : test::small_models()) {
    CAPTURE(model->type_name());
    const auto drawn =
        sample_alone(*model, test::small_source()[0],
                     {.samples = 50, .filter = {.temperature = 4}, .max_length = 8, .no_repeat_ngram = 1}, {6, 4});
    for (const Hypothesis& each : drawn) {
      REQUIRE(each.ids.size() >= 2);
      CHECK(each.ids.size() <= 4);  // the four words there are
      CHECK((each.ids[0] == 6 && each.ids[1] == 4));
      TokenIds sorted = each.ids;
      std::sort(sorted.begin(), sorted.end());
      CHECK(std::adjacent_find(sorted.begin(), sorted.end()) == sorted.end());
    }
  }
}

TEST_CASE("a model that has become NaN is an error that names the sentence, in samples as in a search") {
  const auto model = std::move(test::small_models()[0]);
  for (Parameter* parameter : model->parameters()) parameter->mutable_value().fill(NAN);
  const Padded source = pad(test::pointers(test::small_source()));
  CHECK_THROWS_WITH_AS(sample(*model, source), "[sample] the model gives no finite probability to any token (sentence 0)",
                       NumericError);
  CHECK_THROWS_WITH_AS(beam_search(*model, source),
                       "[beam_search] the model gives no finite probability to any token (sentence 0)", NumericError);
  const std::vector<TokenIds> prefixes = {{4}, {4}, {4}};
  CHECK_THROWS_WITH_AS(sample(*model, source, {.max_length = 1}, prefixes),
                       "[sample] the model gives token 4 of the prefix, at place 0, the log-probability nan (sentence 0)",
                       NumericError);
  CHECK_THROWS_WITH_AS(beam_search(*model, source, {.max_length = 1}, prefixes),
                       "[beam_search] the model gives no finite probability to token 4 of the prefix, at place 0 (sentence 0)",
                       NumericError);
}

TEST_CASE("a token is drawn of probabilities alone") {
  const std::vector<double> fair = {0, 0.5, 0.5}, none = {0, 0}, broken = {NAN, 0.5};
  CHECK(draw_token(fair, 0) == 1);
  CHECK(draw_token(fair, 0.5) == 2);
  CHECK_THROWS_WITH_AS(draw_token(none, 0.5),
                       "[draw_token] u is 0.5 and 2 probabilities add up to 0; u must be in [0, 1), the sum above 0",
                       ValueError);
  CHECK_THROWS_AS(draw_token({}, 0.5), ValueError);
  CHECK_THROWS_AS(draw_token(broken, 0.5), ValueError);
  CHECK_THROWS_AS(draw_token(fair, NAN), ValueError);
  CHECK_THROWS_AS(draw_token(fair, 1), ValueError);
}

TEST_CASE("impossible samples are refused by name") {
  const auto model = std::move(test::small_models()[0]);
  const auto refuse = [&](const SampleOptions& options, const char* message) {
    CHECK_THROWS_WITH_AS(sample_alone(*model, test::small_source()[0], options), message, ValueError);
  };
  refuse({.samples = 0}, "[sample] 0 samples; 1 to 1000000 are possible");
  refuse({.samples = std::int64_t{1} << 60}, "[sample] 1152921504606846976 samples; 1 to 1000000 are possible");
  refuse({.filter = {.temperature = 0}}, "[sample] temperature is 0; it must be finite and above 0");
  refuse({.filter = {.temperature = -1}}, "[sample] temperature is -1; it must be finite and above 0");
  refuse({.filter = {.temperature = NAN}}, "[sample] temperature is nan; it must be finite and above 0");
  refuse({.filter = {.top_k = -1}}, "[sample] top_k is -1; it must not be negative");
  refuse({.filter = {.top_p = 0}}, "[sample] top_p is 0; it must be above 0 and at most 1");
  refuse({.filter = {.top_p = 1.5}}, "[sample] top_p is 1.5; it must be above 0 and at most 1");
  refuse({.filter = {.top_p = NAN}}, "[sample] top_p is nan; it must be above 0 and at most 1");
  refuse({.max_length = -1}, "[sample] max_length is -1; it must not be negative");
  refuse({.no_repeat_ngram = -2}, "[sample] no_repeat_ngram is -2; it must not be negative");
  CHECK_THROWS_WITH_AS(sample_alone(*model, test::small_source()[0], {}, {4, 9}),
                       "[sample] prefix 0 has the id 9 at place 1, which is outside 0..6", ValueError);
  CHECK_THROWS_WITH_AS(filtered_softmax(std::vector<float>{1}, {.top_p = 2}),
                       doctest::Contains("[filtered_softmax] top_p is 2"), ValueError);
  CHECK_THROWS_WITH_AS(sample(*model, Padded{}), "[sample] the source has no ids and no features", ValueError);
  Padded beyond = pad(test::pointers(test::small_source()));
  beyond.lengths = Tensor::from<std::int64_t>({4, 5, 1}, {3});
  CHECK_THROWS_WITH_AS(sample(*model, beyond), "[sample] length 5 of row 1 is outside 1..4, the columns", ValueError);
  beyond.lengths = Tensor::from<std::int64_t>({4, 1}, {2});
  CHECK_THROWS_AS(sample(*model, beyond), ShapeError);
}
