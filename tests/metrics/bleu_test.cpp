#include "weft/metrics/bleu.hpp"

#include <doctest/doctest.h>

#include <cmath>

#include "weft/base/error.hpp"

using namespace weft;
using namespace weft::metrics;
using doctest::Approx;

namespace {

void check_precisions(const BleuScore& score, const std::vector<double>& expected) {
  REQUIRE(score.precisions.size() == expected.size());
  for (std::size_t n = 0; n < expected.size(); ++n) CHECK(score.precisions[n] == Approx(expected[n]));
}

}  // namespace

TEST_CASE("a translation equal to its reference has a BLEU of 100") {
  const auto score = bleu({"the cat sat on the mat ."}, {{"the cat sat on the mat ."}});
  CHECK(score.score == Approx(100));
  CHECK(score.str() == "BLEU = 100.00 100.0/100.0/100.0/100.0 (BP = 1.000 ratio = 1.000 hyp_len = 7 ref_len = 7)");
  CHECK(score.signature == "nrefs:1|case:mixed|eff:no|tok:13a|smooth:exp|version:weft-0.1.0");
}

TEST_CASE("matches are clipped by the reference that has the n-gram most often") {
  CHECK(bleu({"the the the the the the the"}, {{"the cat is on the mat"}}).matches == std::vector<std::int64_t>{2, 0, 0, 0});
  const auto two = bleu({"a a a b b"}, {{"a a b"}, {"a b b x y z"}});
  CHECK(two.matches[0] == 4);
  CHECK(two.totals == std::vector<std::int64_t>{5, 4, 3, 2});
  CHECK(two.signature.starts_with("nrefs:2|"));
}

TEST_CASE("short translations are penalised against the closest reference, the shorter of two as close") {
  const auto score = bleu({"a b c d"}, {{"a b c d e"}});
  CHECK(score.brevity_penalty == Approx(std::exp(-0.25)));
  CHECK(score.score == Approx(100 * std::exp(-0.25)));
  CHECK(bleu({"a b c d"}, {{"a b c d e"}, {"a b c"}}).reference_length == 3);
  CHECK(bleu({"a b c d"}, {{"a b c d e f"}, {"a b c d e"}}).reference_length == 5);
  CHECK(bleu({"a b c d", ""}, {{"a b c d", "e"}}).reference_length == 5);
}

TEST_CASE("each smoothing fills in for missing n-grams in its way") {
  const auto precisions = [](Smoothing smooth, std::optional<double> value = {}) {
    return bleu({"a b c x"}, {{"a b c y"}}, {.smooth = smooth, .smooth_value = value});
  };
  check_precisions(precisions(Smoothing::none), {75, 200.0 / 3, 50, 0});
  CHECK(precisions(Smoothing::none).score == 0);
  check_precisions(precisions(Smoothing::exp), {75, 200.0 / 3, 50, 50});
  check_precisions(precisions(Smoothing::floor), {75, 200.0 / 3, 50, 10});
  check_precisions(precisions(Smoothing::floor, 0.25), {75, 200.0 / 3, 50, 25});
  check_precisions(precisions(Smoothing::add_k), {75, 75, 200.0 / 3, 50});
  check_precisions(precisions(Smoothing::add_k, 3), {75, 500.0 / 6, 80, 75});
  CHECK(precisions(Smoothing::exp).score == Approx(100 * std::pow(0.75 * 2 / 3 * 0.5 * 0.5, 0.25)));
  check_precisions(bleu({"a x b y"}, {{"a z b w"}}), {50, 100.0 / 6, 100.0 / 8, 100.0 / 8});  // 1/2, 1/4, 1/8 of a match
  CHECK(precisions(Smoothing::floor).signature.find("smooth:floor[0.10]") != std::string::npos);
  CHECK(precisions(Smoothing::add_k, 3).signature.find("smooth:add-k[3.00]") != std::string::npos);
}

TEST_CASE("a short sentence is scored on the orders that it has") {
  CHECK(sentence_bleu("good morning", {"good morning"}).score == Approx(100));
  CHECK(sentence_bleu("good morning", {"good morning"}, {.effective_order = false}).score == 0);
  CHECK(sentence_bleu("good evening", {"good morning", "fine evening"}).score == Approx(100 * std::sqrt(0.5 / 1)));
  CHECK(sentence_bleu("", {"good morning"}).score == 0);
  CHECK(sentence_bleu("something", {""}).score == 0);
  CHECK(sentence_bleu("x", {"x"}).signature.find("eff:yes") != std::string::npos);
}

TEST_CASE("lower-casing and other maximum orders are options") {
  CHECK(bleu({"Der ÄRGER ist groß"}, {{"der ärger Ist groß"}}, {.lowercase = true}).score == Approx(100));
  CHECK(bleu({"a b"}, {{"a b"}}, {.lowercase = true}).signature.find("case:lc") != std::string::npos);
  CHECK(bleu({"a b"}, {{"a b"}}, {.max_order = 2}).score == Approx(100));
}

TEST_CASE("a corpus that can't be scored is refused") {
  CHECK_THROWS_WITH_AS(bleu({}, {{}}), "[bleu] there are no hypotheses to score", ValueError);
  CHECK_THROWS_WITH_AS(bleu({"a"}, {}), "[bleu] there are no references to score against", ValueError);
  CHECK_THROWS_WITH_AS(bleu({"a", "b"}, {{"a", "b"}, {"a"}}), "[bleu] 2 hypotheses, but 1 lines in reference 2", ValueError);
  CHECK_THROWS_WITH_AS(bleu({"a", "b"}, {{"a", "b\xC3"}}), "[bleu] reference 1, line 2: not UTF-8 at byte 1", FormatError);
  CHECK_THROWS_WITH_AS(bleu({"\xFF"}, {{"a"}}), "[bleu] hypotheses, line 1: not UTF-8 at byte 0", FormatError);
  CHECK_THROWS_AS(sentence_bleu("a", {}), ValueError);
  CHECK_THROWS_AS(bleu({"a"}, {{"a"}}, {.max_order = 0}), ValueError);
  CHECK_THROWS_AS(bleu({"a"}, {{"a"}}, {.smooth = Smoothing::floor, .smooth_value = -1}), ValueError);
}

TEST_CASE("smoothings have sacreBLEU's names") {
  for (const auto* known : {"none", "floor", "add-k", "exp"}) CHECK(name(parse_smoothing(known)) == known);
  CHECK_THROWS_WITH_AS(parse_smoothing("add_k"), "[bleu] there is no smoothing \"add_k\"; choose none, floor, add-k or exp",
                       ValueError);
}
