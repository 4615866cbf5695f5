#include "weft/metrics/bleu.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>
#include <numeric>
#include <utility>

#include "base/fail.hpp"
#include "metrics/corpus.hpp"
#include "metrics/ngrams.hpp"
#include "metrics/version.hpp"
#include "weft/text/lower.hpp"

namespace weft::metrics {
namespace {

constexpr std::array<std::pair<Smoothing, const char*>, 4> names{
    {{Smoothing::none, "none"}, {Smoothing::floor, "floor"}, {Smoothing::add_k, "add-k"}, {Smoothing::exp, "exp"}}};

double smooth_value(const BleuOptions& options) {
  return options.smooth_value.value_or(options.smooth == Smoothing::floor ? 0.1 : 1.0);
}

void check_options(const char* op, const BleuOptions& options) {
  check<ValueError>(options.max_order > 0 && options.max_order <= 1000, op, "max_order is {}; it must be from 1 to 1000",
                    options.max_order);
  const double value = smooth_value(options);
  check<ValueError>(std::isfinite(value) && value >= 0, op, "smooth_value is {}; it must be finite and not negative", value);
}

Sequence words(const std::string& line, const BleuOptions& options) {
  return Sequence::of_words(tokenize(options.lowercase ? text::lower(line) : line, options.tokenize));
}

/// Length of the reference closest to the hypothesis in length, the shorter one of two.
std::int64_t closest_length(std::int64_t length, const std::vector<Sequence>& references) {
  std::int64_t closest = references.front().size();
  for (const auto& reference : references)
    closest = std::min(closest, reference.size(), [&](std::int64_t a, std::int64_t b) {
      return std::pair(std::abs(a - length), a) < std::pair(std::abs(b - length), b);
    });
  return closest;
}

void add_sentence(const Sequence& hypothesis, const std::vector<Sequence>& references, BleuScore& sum) {
  sum.hypothesis_length += hypothesis.size();
  sum.reference_length += closest_length(hypothesis.size(), references);
  for (std::size_t n = 0; n < sum.matches.size(); ++n) {
    const int order = static_cast<int>(n) + 1;
    NGrams allowed;
    for (const auto& reference : references) allowed = united(allowed, reference.ngrams(order));
    const NGrams found = hypothesis.ngrams(order);
    sum.matches[n] += count_matches(found, allowed);
    sum.totals[n] += static_cast<std::int64_t>(found.size());
  }
}

/// Logarithm of a precision; that of 0 is sacreBLEU's stand-in for minus infinity.
double log_of(double precision) { return precision == 0 ? -9999999999.0 : std::log(precision); }

/// Brevity penalty, precisions and score from the counts.
void conclude(BleuScore& result, const BleuOptions& options) {
  const auto hypothesis_length = static_cast<double>(result.hypothesis_length);
  const auto reference_length = static_cast<double>(result.reference_length);
  result.brevity_penalty = 1;
  if (hypothesis_length < reference_length)
    result.brevity_penalty = hypothesis_length > 0 ? std::exp(1 - reference_length / hypothesis_length) : 0;
  const std::size_t orders = result.matches.size();
  result.precisions.assign(orders, 0.0);
  if (std::all_of(result.matches.begin(), result.matches.end(), [](auto count) { return count == 0; })) return;

  const double value = smooth_value(options);
  double halvings = 1;
  std::size_t effective = orders;
  for (std::size_t n = 0; n < orders; ++n) {
    const double added = options.smooth == Smoothing::add_k && n > 0 ? value : 0;
    double matches = static_cast<double>(result.matches[n]) + added;
    const double total = static_cast<double>(result.totals[n]) + added;
    if (total == 0) break;
    if (options.effective_order) effective = n + 1;
    if (matches == 0 && options.smooth == Smoothing::exp) matches = 1 / (halvings *= 2);
    if (matches == 0 && options.smooth == Smoothing::floor) matches = value;
    result.precisions[n] = 100 * matches / total;
  }
  double logs = 0;
  for (std::size_t n = 0; n < effective; ++n) logs += log_of(result.precisions[n]);
  result.score = result.brevity_penalty * std::exp(logs / static_cast<double>(effective));
}

std::string signature(std::size_t references, const BleuOptions& options) {
  std::string smooth(name(options.smooth));
  if (options.smooth == Smoothing::floor || options.smooth == Smoothing::add_k)
    smooth += fmt::format("[{:.2f}]", smooth_value(options));
  return fmt::format("nrefs:{}|case:{}|eff:{}|tok:{}|smooth:{}|version:weft-{}", references, options.lowercase ? "lc" : "mixed",
                     options.effective_order ? "yes" : "no", name(options.tokenize), smooth, WEFT_VERSION);
}

BleuScore no_counts(const BleuOptions& options) {
  const std::vector<std::int64_t> zeros(static_cast<std::size_t>(options.max_order), 0);
  return {.matches = zeros, .totals = zeros};
}

/// Calls `add` with the words of each sentence and of its references.
template <class Add>
void for_each_sentence(const char* op, const std::vector<std::string>& hypotheses,
                       const std::vector<std::vector<std::string>>& references, const BleuOptions& options, const Add& add) {
  check_options(op, options);
  check_corpus(op, hypotheses, references);
  for (std::size_t i = 0; i < hypotheses.size(); ++i) {
    std::vector<Sequence> cut;
    cut.reserve(references.size());
    for (const auto& stream : references) cut.push_back(words(stream[i], options));
    add(words(hypotheses[i], options), cut);
  }
}

BleuScore compute(const char* op, const std::vector<std::string>& hypotheses,
                  const std::vector<std::vector<std::string>>& references, const BleuOptions& options) {
  check_options(op, options);
  BleuScore result = no_counts(options);
  for_each_sentence(op, hypotheses, references, options, [&](const Sequence& hypothesis, const std::vector<Sequence>& cut) {
    add_sentence(hypothesis, cut, result);
  });
  result.signature = signature(references.size(), options);
  conclude(result, options);
  return result;
}

/// Lengths, matches and totals in a row, and back.
void append_row(const BleuScore& counts, std::vector<double>& values) {
  for (const auto length : {counts.hypothesis_length, counts.reference_length}) values.push_back(static_cast<double>(length));
  values.insert(values.end(), counts.matches.begin(), counts.matches.end());
  values.insert(values.end(), counts.totals.begin(), counts.totals.end());
}

BleuScore from_row(std::span<const double> row, const BleuOptions& options) {
  BleuScore counts = no_counts(options);
  counts.hypothesis_length = static_cast<std::int64_t>(row[0]);
  counts.reference_length = static_cast<std::int64_t>(row[1]);
  const std::size_t orders = counts.matches.size();
  for (std::size_t n = 0; n < orders; ++n) {
    counts.matches[n] = static_cast<std::int64_t>(row[2 + n]);
    counts.totals[n] = static_cast<std::int64_t>(row[2 + orders + n]);
  }
  return counts;
}

}  // namespace

std::string_view name(Smoothing smoothing) {
  for (const auto& [value, name] : names)
    if (value == smoothing) return name;
  fail<ValueError>("bleu", "there is no smoothing {}", static_cast<int>(smoothing));
}

Smoothing parse_smoothing(std::string_view name) {
  for (const auto& [value, known] : names)
    if (name == known) return value;
  fail<ValueError>("bleu", "there is no smoothing \"{}\"; choose none, floor, add-k or exp", name);
}

std::string BleuScore::str() const {
  const double ratio =
      reference_length == 0 ? 0 : static_cast<double>(hypothesis_length) / static_cast<double>(reference_length);
  std::string shares;
  for (const double precision : precisions) shares += fmt::format("{}{:.1f}", shares.empty() ? "" : "/", precision);
  return fmt::format("BLEU = {:.2f} {} (BP = {:.3f} ratio = {:.3f} hyp_len = {} ref_len = {})", score, shares, brevity_penalty,
                     ratio, hypothesis_length, reference_length);
}

BleuScore bleu(const std::vector<std::string>& hypotheses, const std::vector<std::vector<std::string>>& references,
               const BleuOptions& options) {
  return compute("bleu", hypotheses, references, options);
}

BleuScore sentence_bleu(const std::string& hypothesis, const std::vector<std::string>& references, const BleuOptions& options) {
  return compute("sentence_bleu", {hypothesis}, as_streams(references), options);
}

SentenceStatistics bleu_statistics(const std::vector<std::string>& hypotheses,
                                   const std::vector<std::vector<std::string>>& references, const BleuOptions& options) {
  check_options("bleu_statistics", options);  // the width is computed from them
  SentenceStatistics statistics{.width = 2 + 2 * options.max_order, .score = [options](std::span<const double> sum) {
                                  BleuScore score = from_row(sum, options);
                                  conclude(score, options);
                                  return score.score;
                                }};
  for_each_sentence("bleu_statistics", hypotheses, references, options,
                    [&](const Sequence& hypothesis, const std::vector<Sequence>& cut) {
                      BleuScore counts = no_counts(options);
                      add_sentence(hypothesis, cut, counts);
                      append_row(counts, statistics.values);
                    });
  return statistics;
}

}  // namespace weft::metrics
