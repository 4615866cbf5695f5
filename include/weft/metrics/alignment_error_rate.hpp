#pragma once
#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace weft::metrics {

/// Links between words of a sentence pair: places in the source and in the target, from 0.
using AlignmentLinks = std::set<std::pair<std::int64_t, std::int64_t>>;

/// Links as annotators gave them; a sure link is possible as well, whether it is listed there or not.
struct GoldAlignment {
  AlignmentLinks sure, possible = {};
};

/// "0-0 1-2": an alignment as alignment programs write it. FormatError for anything else.
AlignmentLinks parse_alignment(std::string_view line);

/// "0-0 1?2": the same with sure (-) and possible (? or p) links.
GoldAlignment parse_gold_alignment(std::string_view line);

struct AlignmentErrorRate {
  double score = 0;      // 0 to 100
  double precision = 0;  // 0 to 100: of the links, those that are possible
  double recall = 0;     // 0 to 100: of the sure links, those that were found
  std::int64_t links = 0, sure = 0, found_sure = 0, found_possible = 0;

  /// "AER = 12.50 (P = 90.00 R = 85.00)".
  std::string str() const;
};

/// Alignment error rate (Och and Ney 2003) of all sentences' links A against sure links S and possible ones P:
/// 100 * (1 - (|A and S| + |A and P|) / (|A| + |S|)). 0 where there are neither links nor sure ones.
/// ValueError: no sentences, or different numbers of them; a negative place.
AlignmentErrorRate alignment_error_rate(const std::vector<AlignmentLinks>& alignments, const std::vector<GoldAlignment>& gold);

}  // namespace weft::metrics
