#include "weft/metrics/ter.hpp"

#include <doctest/doctest.h>

#include "metrics/shifted_edits.hpp"
#include "metrics/tercom_words.hpp"
#include "weft/base/error.hpp"

using namespace weft;
using namespace weft::metrics;
using doctest::Approx;

namespace {

std::string joined(const std::string& line, const TerOptions& options) {
  std::string result;
  for (const auto& word : tercom_words(line, options)) result += (result.empty() ? "" : " ") + word;
  return result;
}

}  // namespace

TEST_CASE("a translation equal to its reference has a TER of 0") {
  const auto score = ter({"The cat sat .", ""}, {{"the cat sat .", ""}});
  CHECK(score.score == 0);
  CHECK(score.reference_length == 4);
  CHECK(score.str() == "TER = 0.00");
  CHECK(score.signature == "nrefs:1|case:lc|tok:tercom|norm:no|punct:yes|asian:no|version:weft-0.1.0");
}

TEST_CASE("a stretch of words moves for one edit") {
  CHECK(shifted_edits({1, 2, 3, 4, 5}, {4, 5, 1, 2, 3}) == 1);  // 4 5 to the front; 4 edits without
  CHECK(shifted_edits({1, 2, 3, 4}, {1, 3, 2, 4}) == 1);        // 2 without
  CHECK(shifted_edits({2, 1, 3, 5, 4}, {1, 2, 3, 4, 5}) == 2);  // one move at each end
  CHECK(shifted_edits({4, 5, 1, 9, 3}, {1, 2, 3, 4, 5}) == 2);  // a move and 9 for 2
  CHECK(shifted_edits({1, 1, 1}, {1}) == 2);
  CHECK(shifted_edits({1}, {1, 2, 3}) == 2);
  CHECK(shifted_edits({7, 8}, {1, 2, 3}) == 3);  // nothing in common, nothing to move
  // Snover et al. 2006: "this week" moves, "american" is inserted and two words are replaced: 4 edits of 13 words.
  CHECK(sentence_ter("THIS WEEK THE SAUDIS denied information published in the new york times",
                     {"SAUDI ARABIA denied THIS WEEK information published in the AMERICAN new york times"})
            .edits == 4);
}

TEST_CASE("moves have Tercom's limits of length and distance") {
  std::vector<int> words, later;
  for (int i = 0; i < 24; ++i) words.push_back(i);
  later.assign(words.begin() + 12, words.end());
  later.insert(later.end(), words.begin(), words.begin() + 12);
  CHECK(shifted_edits(words, later) == 2);  // two moves of at most 10 words
  std::vector<int> front{-1}, back;
  for (int i = 0; i < 60; ++i) front.push_back(i);
  back.assign(front.begin() + 1, front.end());
  back.push_back(-1);
  CHECK(shifted_edits(front, back) == 2);  // too far to move: a word dropped and one added
}

TEST_CASE("the beam follows lengths that differ much") {
  std::vector<int> many(200, 1);
  CHECK(shifted_edits({1}, many) == 199);
  CHECK(shifted_edits(many, {1}) == 199);
  CHECK(shifted_edits({2, 1}, many) == 199);
}

TEST_CASE("each sentence has the fewest edits of any reference, and their mean length") {
  const auto score = ter({"a b c", "x"}, {{"a b", "x y z"}, {"a b c d", "x w"}});
  CHECK(score.edits == 2);
  CHECK(score.reference_length == 5.5);
  CHECK(score.score == Approx(100 * 2 / 5.5));
  CHECK(score.signature.starts_with("nrefs:2|"));
  const auto statistics = ter_statistics({"a b c", "x"}, {{"a b", "x y z"}, {"a b c d", "x w"}});
  CHECK(statistics.values == std::vector<double>{1, 3, 1, 2.5});
  CHECK(corpus_score(statistics) == score.score);
}

TEST_CASE("without words in the references any word is an error") {
  CHECK(sentence_ter("", {""}).score == 0);
  CHECK(sentence_ter("a b", {""}).score == 100);
  CHECK(sentence_ter("a b", {" \t"}).edits == 2);
  CHECK(sentence_ter("", {"a b"}).score == 100);
  CHECK(sentence_ter("a b c d", {"x"}).score == 400);
}

TEST_CASE("lines are cut into words as by Tercom") {
  CHECK(joined("Hello, World!  (1,234.5)", {}) == "hello, world! (1,234.5)");
  CHECK(joined("Hello, World!", {.case_sensitive = true}) == "Hello, World!");
  CHECK(joined("Tom's 3-4 dogs, 1,234.5 &amp; \"x\".\n", {.normalized = true}) == "tom 's 3 - 4 dogs , 1,234.5 & \" x \" .");
  CHECK(joined("one\n-two\nthree", {.normalized = true}) == "onetwo three");
  CHECK(joined("a, b. (c) d-e \"f\" 'g'; !", {.no_punct = true}) == "a b c d-e f 'g'");
  CHECK(joined("Hi, you: it's 5.", {.normalized = true, .no_punct = true}) == "hi you it 's 5");
  CHECK(joined("他说、好。カナx", {.normalized = true}) == "他说、好。カナx");
  CHECK(joined("他说、好。カナx", {.normalized = true, .asian_support = true}) == "他 说 、 好 。 カナx");
  CHECK(joined("他说、好。？", {.no_punct = true, .asian_support = true}) == "他说好");
  CHECK(sentence_ter("A", {"a"}, {.case_sensitive = true}).score == 100);
  CHECK(sentence_ter("a", {"a"}, {.normalized = true, .no_punct = true, .asian_support = true, .case_sensitive = true})
            .signature == "nrefs:1|case:mixed|tok:tercom|norm:yes|punct:no|asian:yes|version:weft-0.1.0");
}

TEST_CASE("a corpus without a TER is refused") {
  CHECK_THROWS_WITH_AS(ter({}, {{}}), "[ter] there are no hypotheses to score", ValueError);
  CHECK_THROWS_WITH_AS(ter_statistics({"a"}, {}), "[ter_statistics] there are no references to score against", ValueError);
  CHECK_THROWS_WITH_AS(ter({"a"}, {{"a\xFF"}}), "[ter] reference 1, line 1: not UTF-8 at byte 1", FormatError);
  CHECK_THROWS_AS(sentence_ter("a", {}), ValueError);
}
