#include "weft/metrics/error_rate.hpp"

#include "base/fail.hpp"
#include "metrics/corpus.hpp"
#include "metrics/edit_costs.hpp"
#include "metrics/rate.hpp"
#include "weft/text/lower.hpp"
#include "weft/text/utf8.hpp"

namespace weft::metrics {
namespace {

using Lines = std::vector<std::string>;

std::vector<std::string> units(const std::string& line, const WerOptions& options) {
  return tokenize(options.lowercase ? text::lower(line) : line, options.tokenize);
}

std::u32string units(const std::string& line, const CerOptions& options) {
  const auto words = tokenize(options.lowercase ? text::lower(line) : line, Tokenization::none);
  return text::decode_utf8(fmt::format("{}", fmt::join(words, options.whitespace ? " " : "")));
}

EditCounts count(const std::vector<std::string>& hypothesis, const std::vector<std::string>& reference) {
  return count_unit_edits(std::span(hypothesis), std::span(reference));
}

EditCounts count(const std::u32string& hypothesis, const std::u32string& reference) {
  return count_unit_edits(std::span(hypothesis.data(), hypothesis.size()), std::span(reference.data(), reference.size()));
}

template <class Options>
std::vector<EditCounts> by_line(const char* op, const Lines& hypotheses, const Lines& references, const Options& options) {
  check_corpus(op, hypotheses, {references});
  std::vector<EditCounts> counts;
  for (std::size_t i = 0; i < hypotheses.size(); ++i)
    counts.push_back(count(units(hypotheses[i], options), units(references[i], options)));
  return counts;
}

template <class Options>
ErrorRate compute(const char* op, const char* name, const Lines& hypotheses, const Lines& references, const Options& options) {
  ErrorRate result{.name = name};
  for (const auto& counts : by_line(op, hypotheses, references, options)) result.edits += counts;
  result.score = rate(static_cast<double>(result.edits.errors()), static_cast<double>(result.edits.reference_length()));
  return result;
}

template <class Options>
SentenceStatistics statistics(const char* op, const Lines& hypotheses, const Lines& references, const Options& options) {
  SentenceStatistics result{.width = 2, .score = [](std::span<const double> sum) { return rate(sum[0], sum[1]); }};
  for (const auto& counts : by_line(op, hypotheses, references, options)) {
    result.values.push_back(static_cast<double>(counts.errors()));
    result.values.push_back(static_cast<double>(counts.reference_length()));
  }
  return result;
}

}  // namespace

std::string ErrorRate::str() const {
  return fmt::format("{} = {:.2f} ({} hits, {} substitutions, {} deletions, {} insertions)", name, score, edits.hits,
                     edits.substitutions, edits.deletions, edits.insertions);
}

ErrorRate wer(const Lines& hypotheses, const Lines& references, const WerOptions& options) {
  return compute("wer", "WER", hypotheses, references, options);
}

ErrorRate cer(const Lines& hypotheses, const Lines& references, const CerOptions& options) {
  return compute("cer", "CER", hypotheses, references, options);
}

ErrorRate sentence_wer(const std::string& hypothesis, const std::string& reference, const WerOptions& options) {
  return compute("sentence_wer", "WER", {hypothesis}, {reference}, options);
}

ErrorRate sentence_cer(const std::string& hypothesis, const std::string& reference, const CerOptions& options) {
  return compute("sentence_cer", "CER", {hypothesis}, {reference}, options);
}

SentenceStatistics wer_statistics(const Lines& hypotheses, const Lines& references, const WerOptions& options) {
  return statistics("wer_statistics", hypotheses, references, options);
}

SentenceStatistics cer_statistics(const Lines& hypotheses, const Lines& references, const CerOptions& options) {
  return statistics("cer_statistics", hypotheses, references, options);
}

}  // namespace weft::metrics
