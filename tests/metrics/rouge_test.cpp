#include "weft/metrics/rouge.hpp"

#include <doctest/doctest.h>

#include "weft/base/error.hpp"

using namespace weft;
using namespace weft::metrics;
using doctest::Approx;

namespace {

void check_score(const RougeScore& score, double precision, double recall) {
  CHECK(score.precision == Approx(100 * precision));
  CHECK(score.recall == Approx(100 * recall));
  CHECK(score.f1 == Approx(precision + recall == 0 ? 0 : 200 * precision * recall / (precision + recall)));
}

}  // namespace

TEST_CASE("Lin's example has his scores") {
  // Lin 2004, section 3.1: both candidates share "the gunman" alone as bigram with the reference; the first has the longest
  // common subsequence "police the gunman", the second "the gunman".
  const std::vector<std::vector<std::string>> reference = {{"police killed the gunman"}};
  check_score(rouge_n({"police kill the gunman"}, reference, 2), 1.0 / 3, 1.0 / 3);
  check_score(rouge_n({"the gunman kill police"}, reference, 2), 1.0 / 3, 1.0 / 3);
  check_score(rouge_l({"police kill the gunman"}, reference), 0.75, 0.75);
  check_score(rouge_l({"the gunman kill police"}, reference), 0.5, 0.5);
  CHECK(rouge_l({"police kill the gunman"}, reference).str() == "ROUGE-L = 75.00 (P = 75.00 R = 75.00)");
}

TEST_CASE("n-grams match as often as both sides have them") {
  // rouge-score's README: ROUGE-1 6 of 8 and of 9, ROUGE-L 5 of 8 and of 9.
  const std::vector<std::vector<std::string>> reference = {{"The quick brown fox jumps over the lazy dog"}};
  const std::vector<std::string> hypothesis = {"The quick brown dog jumps on the log."};
  check_score(rouge_n(hypothesis, reference, 1), 6.0 / 8, 6.0 / 9);
  check_score(rouge_l(hypothesis, reference), 5.0 / 8, 5.0 / 9);
  check_score(rouge_n({"the the the the"}, {{"the cat the"}}, 1), 2.0 / 4, 2.0 / 3);
  check_score(rouge_n({"a b a b"}, {{"a b c a b a"}}, 2), 3.0 / 3, 3.0 / 5);
  CHECK(rouge_n({"a"}, {{"a"}}, 3).name == "ROUGE-3");
}

TEST_CASE("scores are means over the sentences, each with its best reference") {
  const auto score = rouge_n({"a b", "c"}, {{"a x", "c"}, {"a b c d", "y"}}, 1);
  // First sentence: F1 1/2 and 2/3, so the second reference with P 1 and R 1/2; second sentence: 1.
  CHECK(score.precision == Approx(100));
  CHECK(score.recall == Approx(75));
  CHECK(score.f1 == Approx(100 * (2.0 / 3 + 1) / 2));
}

TEST_CASE("a corpus can be resampled by its sentences' F1") {
  const std::vector<std::string> hypotheses = {"a b c", "c d", "x"};
  const std::vector<std::vector<std::string>> references = {{"a b d", "d c", "y"}};
  for (const int n : {1, 2}) {
    const SentenceStatistics statistics = rouge_n_statistics(hypotheses, references, n);
    CHECK(statistics.sentences() == 3);
    CHECK(corpus_score(statistics) == Approx(rouge_n(hypotheses, references, n).f1));
  }
  const SentenceStatistics statistics = rouge_l_statistics(hypotheses, references);
  CHECK(corpus_score(statistics) == Approx(rouge_l(hypotheses, references).f1));
  CHECK(statistics.values[0] == Approx(200.0 / 3));
  CHECK(statistics.values[4] == 0);
  CHECK_THROWS_WITH_AS(rouge_n_statistics(hypotheses, references, 0), "[rouge_n_statistics] n is 0; it must be at least 1",
                       ValueError);
  CHECK_THROWS_AS(rouge_l_statistics({"a"}, references), ValueError);
}

TEST_CASE("ROUGE-Lsum joins the subsequences of a sentence") {
  // Lin 2004, section 3.2: w1 w2 w3 w4 w5 against w1 w2 w6 w7 w8 and w1 w3 w8 w9 w5 has the union w1 w2 w3 w5.
  check_score(rouge_lsum({"w1 w2 w6 w7 w8\nw1 w3 w8 w9 w5"}, {{"w1 w2 w3 w4 w5"}}), 4.0 / 10, 4.0 / 5);
  check_score(rouge_lsum({"c d\na b"}, {{"a b\nc d"}}), 1, 1);
  check_score(rouge_l({"c d\na b"}, {{"a b\nc d"}}), 0.5, 0.5);
  check_score(rouge_lsum({"a"}, {{"a\na\n"}}), 1, 0.5);  // one a does not count twice
  CHECK(rouge_lsum({"a"}, {{"a"}}).name == "ROUGE-Lsum");
}

TEST_CASE("words are runs of letters and digits, in lower case, unless a tokenizer is named") {
  CHECK(rouge_n({"GRÖßE: it's 5"}, {{"größe, it s 5!"}}, 1).f1 == Approx(100));
  CHECK(rouge_n({"GUT"}, {{"gut"}}, 1, {.lowercase = false}).f1 == 0);
  CHECK(rouge_n({"a, b"}, {{"a b"}}, 1, {.tokenize = Tokenization::none}).f1 == Approx(50));
  CHECK(rouge_l({"日本"}, {{"日語本"}}, {.tokenize = Tokenization::chars}).recall == Approx(200.0 / 3));
}

TEST_CASE("empty lines score nothing and break nothing") {
  for (const auto& pair : {std::pair("", "a"), {"a", ""}, {"", ""}, {"...", "a"}}) {
    CHECK(rouge_n({pair.first}, {{pair.second}}, 1).f1 == 0);
    CHECK(rouge_l({pair.first}, {{pair.second}}).f1 == 0);
    CHECK(rouge_lsum({pair.first}, {{pair.second}}).f1 == 0);
  }
  CHECK(rouge_n({"a"}, {{"a"}}, 2).f1 == 0);
}

TEST_CASE("what can't be scored is refused") {
  CHECK_THROWS_WITH_AS(rouge_n({"a"}, {{"a"}}, 0), "[rouge_n] n is 0; it must be at least 1", ValueError);
  CHECK_THROWS_WITH_AS(rouge_l({}, {{}}), "[rouge_l] there are no hypotheses to score", ValueError);
  CHECK_THROWS_WITH_AS(rouge_lsum({"a\xFF"}, {{"a"}}), "[rouge_lsum] hypotheses, line 1: not UTF-8 at byte 1", FormatError);
}
