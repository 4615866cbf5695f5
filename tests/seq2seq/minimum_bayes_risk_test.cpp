#include "weft/seq2seq/minimum_bayes_risk.hpp"

#include <doctest/doctest.h>

#include <cmath>

#include "weft/base/error.hpp"
#include "weft/metrics/bleu.hpp"
#include "weft/metrics/chrf.hpp"

using namespace weft;
using namespace weft::seq2seq;

namespace {

const std::vector<std::string> candidates = {"a cat sat on the mat",   "the dog ran away", "the cat sat on the mat",
                                             "the cat sat on a mat .", "the dog ran away", ""};

double utility(const std::string& a, const std::string& b, Utility kind, bool lowercase = false) {
  return kind == Utility::chrf ? metrics::sentence_chrf(a, {b}, {.lowercase = lowercase}).score
                               : metrics::sentence_bleu(a, {b}, {.lowercase = lowercase, .effective_order = true}).score;
}

}  // namespace

TEST_CASE("expected utilities are weighted means over all candidates") {
  const std::vector<double> uneven = {0.5, 0, 2, 1, 0.25, 3};
  for (const Utility kind : {Utility::bleu, Utility::chrf})
    for (const bool weighted : {false, true}) {
      const std::vector<double> weights = weighted ? uneven : std::vector<double>();
      const ExpectedUtilities found = minimum_bayes_risk(candidates, weights, {.utility = kind});
      REQUIRE(found.utilities.size() == candidates.size());
      std::size_t best = 0;
      for (std::size_t c = 0; c < candidates.size(); ++c) {
        double sum = 0, total = 0;
        for (std::size_t r = 0; r < candidates.size(); ++r) {
          const double weight = weighted ? uneven[r] : 1;
          sum += weight * utility(candidates[c], candidates[r], kind);
          total += weight;
        }
        CHECK(found.utilities[c] == doctest::Approx(sum / total).epsilon(1e-12));
        if (found.utilities[c] > found.utilities[best]) best = c;
      }
      CHECK(found.best == best);
    }
}

TEST_CASE("the one that agrees with most is chosen, whatever comes first") {
  for (const Utility kind : {Utility::bleu, Utility::chrf}) {
    CHECK(minimum_bayes_risk({"something else", "the cat sat on the mat", "the cat sat on a mat", "the cat sat on the mat ."},
                             {}, {.utility = kind})
              .best != 0);
    const std::vector<double> weights = {10, 1, 1, 1};
    CHECK(minimum_bayes_risk({"something else", "the cat sat on the mat", "the cat sat on a mat", "the cat sat on the mat ."},
                             weights, {.utility = kind})
              .best == 0);
    const std::vector<double> huge = {1e307, 1e308};
    CHECK(minimum_bayes_risk({"a b c d", "x y"}, huge, {.utility = kind}).best == 1);
    CHECK(minimum_bayes_risk({"one"}, {}, {.utility = kind}).best == 0);
    CHECK(minimum_bayes_risk({"same", "same"}, {}, {.utility = kind}).best == 0);
    CHECK(minimum_bayes_risk({"", ""}, {}, {.utility = kind}).best == 0);
  }
  CHECK(minimum_bayes_risk({"zzz", "THE CAT SAT", "the cat sat"}).best == 0);
  CHECK(minimum_bayes_risk({"zzz", "THE CAT SAT", "the cat sat"}, {}, {.lowercase = true}).best == 1);
}

TEST_CASE("a posterior is the softmax of log probabilities") {
  const std::vector<double> found = posterior(std::vector<double>{-1000, -1001, -INFINITY});
  CHECK(found[0] == doctest::Approx(1 / (1 + std::exp(-1))));
  CHECK(found[1] == doctest::Approx(std::exp(-1) / (1 + std::exp(-1))));
  CHECK(found[2] == 0);
  CHECK_THROWS_AS(posterior({}), ValueError);
  CHECK_THROWS_AS(posterior(std::vector<double>{-INFINITY}), ValueError);
  CHECK_THROWS_WITH_AS(posterior(std::vector<double>{-1, NAN}),
                       "[posterior] log probability 1 of 2 is nan; it must be finite or -inf", ValueError);
  CHECK_THROWS_WITH_AS(posterior(std::vector<double>{INFINITY, -1}),
                       "[posterior] log probability 0 of 2 is inf; it must be finite or -inf", ValueError);
}

TEST_CASE("choices that can't be made are refused") {
  const auto refuse = [&](const std::vector<std::string>& texts, const std::vector<double>& weights, const char* message) {
    CHECK_THROWS_WITH_AS(minimum_bayes_risk(texts, weights), message, ValueError);
  };
  refuse({}, {}, "[minimum_bayes_risk] there are no candidates to choose from");
  refuse({"a", "b"}, {1}, "[minimum_bayes_risk] 1 weights for 2 candidates");
  refuse({"a", "b"}, {1, -1}, "[minimum_bayes_risk] weight 1 is -1; it must be finite and not negative");
  refuse({"a", "b"}, {NAN, 1}, "[minimum_bayes_risk] weight 0 is nan; it must be finite and not negative");
  refuse({"a", "b"}, {0, 0}, "[minimum_bayes_risk] all weights are 0");
  refuse({"a", "b"}, {1e308, 1e308}, "[minimum_bayes_risk] the weights add up to more than a double holds");
  CHECK_THROWS_AS(minimum_bayes_risk({"caf\xe9", "b"}), FormatError);
}
