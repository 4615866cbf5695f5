#include "metrics/corpus.hpp"

#include "base/fail.hpp"
#include "weft/text/utf8.hpp"

namespace weft::metrics {
namespace {

void check_lines(const char* op, const std::string& what, const std::vector<std::string>& lines) {
  for (std::size_t i = 0; i < lines.size(); ++i)
    if (const auto invalid = text::find_invalid_utf8(lines[i]))
      fail<FormatError>(op, "{}, line {}: not UTF-8 at byte {}", what, i + 1, *invalid);
}

}  // namespace

void check_corpus(const char* op, const std::vector<std::string>& hypotheses,
                  const std::vector<std::vector<std::string>>& references) {
  check<ValueError>(!hypotheses.empty(), op, "there are no hypotheses to score");
  check<ValueError>(!references.empty(), op, "there are no references to score against");
  for (std::size_t r = 0; r < references.size(); ++r)
    check<ValueError>(references[r].size() == hypotheses.size(), op, "{} hypotheses, but {} lines in reference {}",
                      hypotheses.size(), references[r].size(), r + 1);
  check_lines(op, "hypotheses", hypotheses);
  for (std::size_t r = 0; r < references.size(); ++r) check_lines(op, fmt::format("reference {}", r + 1), references[r]);
}

std::vector<std::vector<std::string>> as_streams(const std::vector<std::string>& references) {
  std::vector<std::vector<std::string>> streams;
  streams.reserve(references.size());
  for (const auto& reference : references) streams.push_back({reference});
  return streams;
}

}  // namespace weft::metrics
