#include "weft/metrics/alignment_error_rate.hpp"

#include <algorithm>
#include <charconv>
#include <optional>

#include "base/fail.hpp"

namespace weft::metrics {
namespace {

struct Link {
  std::int64_t source = 0, target = 0;
  char mark = '-';
};

std::optional<Link> parse_link(std::string_view word) {
  Link link;
  const char* end = word.data() + word.size();
  const auto source = std::from_chars(word.data(), end, link.source);
  if (source.ec != std::errc() || source.ptr == end) return {};
  link.mark = *source.ptr;
  const auto target = std::from_chars(source.ptr + 1, end, link.target);
  if (target.ec != std::errc() || target.ptr != end || link.source < 0 || link.target < 0) return {};
  return link;
}

/// Calls `add` with each link, whose mark is one of `marks`.
template <class Add>
void parse(const char* op, std::string_view line, std::string_view marks, const Add& add) {
  constexpr std::string_view space = " \t\r\n";
  for (std::size_t begin = line.find_first_not_of(space); begin != std::string_view::npos;) {
    const std::size_t end = std::min(line.find_first_of(space, begin), line.size());
    const std::string_view word = line.substr(begin, end - begin);
    const auto link = parse_link(word);
    if (!link || marks.find(link->mark) == std::string_view::npos)
      fail<FormatError>(op, "\"{}\" is not a link such as 0{}1", word, fmt::join(marks.begin(), marks.end(), "1 or 0"));
    add(*link);
    begin = line.find_first_not_of(space, end);
  }
}

void check_places(const char* what, std::size_t sentence, const AlignmentLinks& links) {
  for (const auto& [source, target] : links)
    if (source < 0 || target < 0)
      fail<ValueError>("alignment_error_rate", "{}, sentence {}: there is no link {}-{}", what, sentence + 1, source, target);
}

double percent(std::int64_t part, std::int64_t whole) {
  return whole == 0 ? 100 : 100 * static_cast<double>(part) / static_cast<double>(whole);
}

}  // namespace

AlignmentLinks parse_alignment(std::string_view line) {
  AlignmentLinks links;
  parse("parse_alignment", line, "-", [&](const Link& link) { links.emplace(link.source, link.target); });
  return links;
}

GoldAlignment parse_gold_alignment(std::string_view line) {
  GoldAlignment gold;
  parse("parse_gold_alignment", line, "-?p",
        [&](const Link& link) { (link.mark == '-' ? gold.sure : gold.possible).emplace(link.source, link.target); });
  return gold;
}

std::string AlignmentErrorRate::str() const {
  return fmt::format("AER = {:.2f} (P = {:.2f} R = {:.2f})", score, precision, recall);
}

AlignmentErrorRate alignment_error_rate(const std::vector<AlignmentLinks>& alignments, const std::vector<GoldAlignment>& gold) {
  constexpr const char* op = "alignment_error_rate";
  check<ValueError>(!alignments.empty(), op, "there are no alignments to score");
  check<ValueError>(alignments.size() == gold.size(), op, "{} alignments, but {} gold ones", alignments.size(), gold.size());
  AlignmentErrorRate result;
  for (std::size_t i = 0; i < alignments.size(); ++i) {
    check_places("alignments", i, alignments[i]);
    check_places("sure links", i, gold[i].sure);
    check_places("possible links", i, gold[i].possible);
    result.links += static_cast<std::int64_t>(alignments[i].size());
    result.sure += static_cast<std::int64_t>(gold[i].sure.size());
    for (const auto& link : alignments[i]) {
      const bool sure = gold[i].sure.contains(link);
      if (sure) ++result.found_sure;
      if (sure || gold[i].possible.contains(link)) ++result.found_possible;
    }
  }
  result.precision = percent(result.found_possible, result.links);
  result.recall = percent(result.found_sure, result.sure);
  result.score = 100 - percent(result.found_sure + result.found_possible, result.links + result.sure);
  return result;
}

}  // namespace weft::metrics
