#include "weft/metrics/alignment_error_rate.hpp"

#include <doctest/doctest.h>

#include "weft/base/error.hpp"

using namespace weft;
using namespace weft::metrics;
using doctest::Approx;

TEST_CASE("sure links have to be found, possible ones may be") {
  const auto score = [](const char* alignment, const char* gold) {
    return alignment_error_rate({parse_alignment(alignment)}, {parse_gold_alignment(gold)});
  };
  CHECK(score("0-0 1-1", "0-0 1-1").score == 0);
  CHECK(score("0-0 1-1 1-2", "0-0 1-1 1?2").score == 0);
  CHECK(score("0-0 1-1", "0-0 1-1 1?2").score == 0);
  CHECK(score("0-1", "0-0").score == 100);
  // A = {00, 12, 22}, S = {00, 11}, P = {00, 11, 12}: 1 sure and 2 possible, so 1 - 3 / 5.
  const auto mixed = score("0-0 1-2 2-2", "0-0 1-1 1?2");
  CHECK(mixed.score == Approx(40));
  CHECK(mixed.precision == Approx(200.0 / 3));
  CHECK(mixed.recall == Approx(50));
  CHECK(mixed.str() == "AER = 40.00 (P = 66.67 R = 50.00)");
  CHECK(score("0-0 0-0", "0-0 0?0 0p0").score == 0);  // sure and possible is sure; links are counted once
}

TEST_CASE("sentences are counted together") {
  const auto score = alignment_error_rate({{{0, 0}}, {{0, 0}, {1, 0}, {2, 2}}},
                                          {{.sure = {{0, 0}, {1, 1}}}, {.sure = {{0, 0}}, .possible = {{1, 0}}}});
  CHECK(score.links == 4);
  CHECK(score.sure == 3);
  CHECK(score.found_sure == 2);
  CHECK(score.found_possible == 3);
  CHECK(score.score == Approx(100 * (1 - 5.0 / 7)));
}

TEST_CASE("sentences without links are no errors") {
  CHECK(alignment_error_rate({{}}, {{}}).score == 0);
  CHECK(alignment_error_rate({{}}, {{.sure = {{0, 0}}}}).score == 100);
  CHECK(alignment_error_rate({{{0, 0}}}, {{}}).score == 100);
  CHECK(alignment_error_rate({{{0, 0}}}, {{.sure = {}, .possible = {{0, 0}}}}).score == 0);
}

TEST_CASE("links are read as alignment programs write them") {
  CHECK(parse_alignment(" 10-2\t0-11 \r") == AlignmentLinks{{0, 11}, {10, 2}});
  CHECK(parse_alignment("").empty());
  const auto gold = parse_gold_alignment("0-0 1?2 3p4");
  CHECK(gold.sure == AlignmentLinks{{0, 0}});
  CHECK(gold.possible == AlignmentLinks{{1, 2}, {3, 4}});
  for (const auto* bad : {"0", "0-", "-1-2", "0--1", "0-1-2", "a-b", "0?1", "0-99999999999999999999"})
    CHECK_THROWS_AS(parse_alignment(bad), FormatError);
  CHECK_THROWS_WITH_AS(parse_alignment("0-0 1?2"), "[parse_alignment] \"1?2\" is not a link such as 0-1", FormatError);
  CHECK_THROWS_WITH_AS(parse_gold_alignment("1:2"), "[parse_gold_alignment] \"1:2\" is not a link such as 0-1 or 0?1 or 0p1",
                       FormatError);
}

TEST_CASE("alignments that can't be scored are refused") {
  CHECK_THROWS_WITH_AS(alignment_error_rate({}, {}), "[alignment_error_rate] there are no alignments to score", ValueError);
  CHECK_THROWS_WITH_AS(alignment_error_rate({{}}, {{}, {}}), "[alignment_error_rate] 1 alignments, but 2 gold ones",
                       ValueError);
  CHECK_THROWS_WITH_AS(alignment_error_rate({{{-1, 0}}}, {{}}),
                       "[alignment_error_rate] alignments, sentence 1: there is no link -1-0", ValueError);
}
