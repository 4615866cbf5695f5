#include "weft/metrics/error_rate.hpp"

#include <doctest/doctest.h>

#include "weft/base/error.hpp"

using namespace weft;
using namespace weft::metrics;
using doctest::Approx;

TEST_CASE("word errors are summed over the lines") {
  CHECK(wer({"a b c", ""}, {"a b c", ""}).score == 0);
  // "the" and "sat" hit, "dog" for "cat", "big" too many; in the second line "well" is missing.
  const auto score = wer({"the dog big sat", "all is"}, {"the cat sat", "all is well"});
  CHECK(score.edits == EditCounts{.hits = 4, .substitutions = 1, .deletions = 1, .insertions = 1});
  CHECK(score.score == Approx(300.0 / 6));
  CHECK(score.str() == "WER = 50.00 (4 hits, 1 substitutions, 1 deletions, 1 insertions)");
  CHECK(sentence_wer("a b c", "x").score == Approx(300));
  CHECK(wer_statistics({"the dog big sat", "all is"}, {"the cat sat", "all is well"}).values ==
        std::vector<double>{2, 3, 1, 3});
}

TEST_CASE("words are cut and compared as asked") {
  CHECK(sentence_wer("Hello, World!", "hello, world!").score == 100);
  CHECK(sentence_wer("Hello, World!", "hello, world!", {.lowercase = true}).score == 0);
  CHECK(sentence_wer("Hello world", "Hello, world!").score == 100);
  CHECK(sentence_wer("Hello world", "Hello, world!", {.tokenize = Tokenization::v13a}).score == 50);
}

TEST_CASE("character errors are of code points") {
  CHECK(sentence_cer("größe", "große").score == Approx(20));
  CHECK(sentence_cer("日本", "日本語").edits == EditCounts{.hits = 2, .deletions = 1});
  CHECK(sentence_cer("kitten", "sitting").edits.errors() == 3);
  CHECK(sentence_cer("ab", "a b").edits == EditCounts{.hits = 2, .deletions = 1});
  CHECK(sentence_cer(" a \t b\n", "a b").score == 0);  // white space between words is one character
  CHECK(sentence_cer("ab", "a b", {.whitespace = false}).score == 0);
  CHECK(sentence_cer("ÄB", "äb", {.lowercase = true}).score == 0);
  const auto score = cer({"abc", "x"}, {"abd", "xyz"});
  CHECK(score.score == Approx(300.0 / 6));
  CHECK(score.str() == "CER = 50.00 (3 hits, 1 substitutions, 2 deletions, 0 insertions)");
  CHECK(corpus_score(cer_statistics({"abc", "x"}, {"abd", "xyz"})) == score.score);
}

TEST_CASE("without words in the references any word is an error") {
  CHECK(sentence_wer("", "").score == 0);
  CHECK(sentence_wer("a b", "").score == 100);
  CHECK(sentence_wer("", "a b").score == 100);
  CHECK(sentence_cer("", " ").score == 0);
  CHECK(wer({"a", "b"}, {"", "b"}).score == 100);
}

TEST_CASE("lines that can't be compared are refused") {
  CHECK_THROWS_WITH_AS(wer({}, {}), "[wer] there are no hypotheses to score", ValueError);
  CHECK_THROWS_WITH_AS(cer({"a"}, {"a", "b"}), "[cer] 1 hypotheses, but 2 lines in reference 1", ValueError);
  CHECK_THROWS_WITH_AS(sentence_wer("a\xFF", "a"), "[sentence_wer] hypotheses, line 1: not UTF-8 at byte 1", FormatError);
  CHECK_THROWS_AS(cer_statistics({"a"}, {"\xC3"}), FormatError);
}
