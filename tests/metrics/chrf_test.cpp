#include "weft/metrics/chrf.hpp"

#include <doctest/doctest.h>

#include "weft/base/error.hpp"

using namespace weft;
using namespace weft::metrics;
using doctest::Approx;

TEST_CASE("a translation equal to its reference has a chrF of 100") {
  const auto score = chrf({"Le cœur est là."}, {{"Le cœur est là."}});
  CHECK(score.score == Approx(100));
  CHECK(score.str() == "chrF2 = 100.00");
  CHECK(score.signature == "nrefs:1|case:mixed|eff:yes|nc:6|nw:0|space:no|version:weft-0.1.0");
  const auto plus = chrf({"Le cœur est là."}, {{"Le cœur est là."}}, {.word_order = 2});
  CHECK(plus.str() == "chrF2++ = 100.00");
  CHECK(plus.signature == "nrefs:1|case:mixed|eff:yes|nc:6|nw:2|space:no|version:weft-0.1.0");
}

TEST_CASE("precision and recall are averaged over the orders that both sides have") {
  // Characters: abc against abde. Order 1: 2 of 3 and of 4; order 2: 1 of 2 and of 3; order 3: 0 of 1 and of 2; no order 4.
  const double precision = (2.0 / 3 + 1.0 / 2 + 0) / 3;
  const double recall = (2.0 / 4 + 1.0 / 3 + 0) / 3;
  CHECK(sentence_chrf("a bc", {"ab de"}).score == Approx(100 * 5 * precision * recall / (4 * precision + recall)));
  CHECK(sentence_chrf("a bc", {"ab de"}, {.beta = 1}).score == Approx(200 * precision * recall / (precision + recall)));
  // With white space: "a b" against "ab". Order 1: 2 of 3 and of 2; order 2: 0 of 2 and of 1.
  CHECK(sentence_chrf("a b", {"ab"}, {.whitespace = true}).score ==
        Approx(100 * 5 * (1.0 / 3) * (1.0 / 2) / (4 * (1.0 / 3) + 1.0 / 2)));
}

TEST_CASE("characters are code points, and words lose one mark at an end") {
  CHECK(sentence_chrf("äöü", {"äöx"}, {.char_order = 1}).score == Approx(200.0 / 3));
  // The words alone differ: "(", "hi", ")" against "(hi", ")": only one mark is cut off.
  CHECK(sentence_chrf("(hi )", {"(hi)"}, {.word_order = 1}).score < 100);
  CHECK(sentence_chrf("hi !", {"hi!"}, {.word_order = 2}).score == Approx(100));
}

TEST_CASE("each sentence counts against the reference that suits it best") {
  const auto score = chrf({"good morning", "good evening"}, {{"good morning", "hello"}, {"hi", "good evening"}});
  CHECK(score.score == Approx(100));
  CHECK(score.signature.starts_with("nrefs:2|"));
  CHECK(chrf({"GUTEN MORGEN"}, {{"guten Morgen"}}, {.lowercase = true}).score == Approx(100));
}

TEST_CASE("empty lines score nothing and break nothing") {
  CHECK(sentence_chrf("", {"good"}).score == 0);
  CHECK(sentence_chrf("good", {""}).score == 0);
  CHECK(sentence_chrf("", {""}, {.word_order = 2}).score == 0);
}

TEST_CASE("what can't be scored is refused") {
  CHECK_THROWS_WITH_AS(chrf({}, {{}}), "[chrf] there are no hypotheses to score", ValueError);
  CHECK_THROWS_WITH_AS(chrf({"a"}, {{"a", "b"}}), "[chrf] 1 hypotheses, but 2 lines in reference 1", ValueError);
  CHECK_THROWS_AS(chrf({"a\xFF"}, {{"a"}}), FormatError);
  CHECK_THROWS_AS(chrf({"a"}, {{"a"}}, {.char_order = 0}), ValueError);
  CHECK_THROWS_AS(chrf({"a"}, {{"a"}}, {.word_order = -1}), ValueError);
  CHECK_THROWS_AS(chrf({"a"}, {{"a"}}, {.beta = 0}), ValueError);
}
