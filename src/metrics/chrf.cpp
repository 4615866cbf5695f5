#include "weft/metrics/chrf.hpp"

#include <fmt/format.h>

#include <cstdint>
#include <string_view>

#include "base/fail.hpp"
#include "metrics/corpus.hpp"
#include "metrics/ngrams.hpp"
#include "metrics/version.hpp"
#include "weft/metrics/tokenize.hpp"
#include "weft/text/lower.hpp"

namespace weft::metrics {
namespace {

/// n-grams of one order: in the hypothesis, in the reference, in both.
struct Counts {
  std::int64_t hypothesis = 0, reference = 0, matches = 0;
};
using Statistics = std::vector<Counts>;  // by order, those of characters first

void check_options(const char* op, const ChrfOptions& options) {
  check<ValueError>(options.char_order > 0 && options.char_order <= 1000, op, "char_order is {}; it must be from 1 to 1000",
                    options.char_order);
  check<ValueError>(options.word_order >= 0 && options.word_order <= 1000, op, "word_order is {}; it must be from 0 to 1000",
                    options.word_order);
  check<ValueError>(options.beta > 0, op, "beta is {}; it must be at least 1", options.beta);
}

bool is_ascii_punctuation(char c) {
  constexpr std::string_view marks = "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~";
  return marks.find(c) != std::string_view::npos;
}

/// Words with one mark cut off their end or, failing that, their beginning.
std::vector<std::string> cut_marks(const std::vector<std::string>& words) {
  std::vector<std::string> result;
  for (const auto& word : words) {
    if (word.size() > 1 && is_ascii_punctuation(word.back())) {
      result.push_back(word.substr(0, word.size() - 1));
      result.push_back(word.substr(word.size() - 1));
    } else if (word.size() > 1 && is_ascii_punctuation(word.front())) {
      result.push_back(word.substr(0, 1));
      result.push_back(word.substr(1));
    } else {
      result.push_back(word);
    }
  }
  return result;
}

/// n-grams of a line by order, those of characters first.
class Line {
 public:
  Line(const std::string& raw, const ChrfOptions& options) {
    const std::string line = options.lowercase ? text::lower(raw) : raw;
    const auto words = tokenize(line, Tokenization::none);
    characters_ = Sequence::of_characters(options.whitespace ? line : fmt::format("{}", fmt::join(words, "")));
    words_ = Sequence::of_words(cut_marks(words));
    for (int n = 1; n <= options.char_order; ++n) ngrams_.push_back(characters_.ngrams(n));
    for (int n = 1; n <= options.word_order; ++n) ngrams_.push_back(words_.ngrams(n));
  }
  Line(const Line&) = delete;  // the n-grams point into the sequences
  Line& operator=(const Line&) = delete;

  const std::vector<NGrams>& ngrams() const { return ngrams_; }

 private:
  Sequence characters_, words_;
  std::vector<NGrams> ngrams_;
};

Statistics compare(const Line& hypothesis, const Line& reference) {
  Statistics statistics;
  for (std::size_t n = 0; n < hypothesis.ngrams().size(); ++n) {
    const NGrams& ours = hypothesis.ngrams()[n];
    const NGrams& theirs = reference.ngrams()[n];
    // Without n-grams of this length in the reference the hypothesis is not held to them.
    statistics.push_back({.hypothesis = theirs.empty() ? 0 : static_cast<std::int64_t>(ours.size()),
                          .reference = static_cast<std::int64_t>(theirs.size()),
                          .matches = count_matches(ours, theirs)});
  }
  return statistics;
}

/// F = (1 + b^2) P R / (b^2 P + R), of precision and recall averaged over the orders that both sides have; 0 to 100.
double f_score(const Statistics& statistics, int beta) {
  double precision = 0, recall = 0;
  int orders = 0;
  for (const auto& counts : statistics) {
    if (counts.hypothesis == 0 || counts.reference == 0) continue;
    precision += static_cast<double>(counts.matches) / static_cast<double>(counts.hypothesis);
    recall += static_cast<double>(counts.matches) / static_cast<double>(counts.reference);
    ++orders;
  }
  if (precision + recall == 0) return 0;
  precision /= orders;
  recall /= orders;
  const double factor = static_cast<double>(beta) * beta;
  return 100 * (1 + factor) * precision * recall / (factor * precision + recall);
}

Statistics best_of(const Line& hypothesis, std::size_t i, const std::vector<std::vector<std::string>>& references,
                   const ChrfOptions& options) {
  Statistics best;
  double best_score = -1;
  for (const auto& stream : references) {
    Statistics statistics = compare(hypothesis, Line(stream[i], options));
    const double score = f_score(statistics, options.beta);
    if (score > best_score) {
      best_score = score;
      best = std::move(statistics);
    }
  }
  return best;
}

ChrfScore compute(const char* op, const std::vector<std::string>& hypotheses,
                  const std::vector<std::vector<std::string>>& references, const ChrfOptions& options) {
  check_options(op, options);
  check_corpus(op, hypotheses, references);
  Statistics sum(static_cast<std::size_t>(options.char_order + options.word_order));
  for (std::size_t i = 0; i < hypotheses.size(); ++i) {
    const Statistics sentence = best_of(Line(hypotheses[i], options), i, references, options);
    for (std::size_t n = 0; n < sum.size(); ++n) {
      sum[n].hypothesis += sentence[n].hypothesis;
      sum[n].reference += sentence[n].reference;
      sum[n].matches += sentence[n].matches;
    }
  }
  return {.score = f_score(sum, options.beta),
          .name = fmt::format("chrF{}", options.beta) + std::string(static_cast<std::size_t>(options.word_order), '+'),
          .signature = fmt::format("nrefs:{}|case:{}|eff:yes|nc:{}|nw:{}|space:{}|version:weft-{}", references.size(),
                                   options.lowercase ? "lc" : "mixed", options.char_order, options.word_order,
                                   options.whitespace ? "yes" : "no", WEFT_VERSION)};
}

}  // namespace

std::string ChrfScore::str() const { return fmt::format("{} = {:.2f}", name, score); }

ChrfScore chrf(const std::vector<std::string>& hypotheses, const std::vector<std::vector<std::string>>& references,
               const ChrfOptions& options) {
  return compute("chrf", hypotheses, references, options);
}

ChrfScore sentence_chrf(const std::string& hypothesis, const std::vector<std::string>& references, const ChrfOptions& options) {
  return compute("sentence_chrf", {hypothesis}, as_streams(references), options);
}

SentenceStatistics chrf_statistics(const std::vector<std::string>& hypotheses,
                                   const std::vector<std::vector<std::string>>& references, const ChrfOptions& options) {
  constexpr const char* op = "chrf_statistics";
  check_options(op, options);
  check_corpus(op, hypotheses, references);
  const int beta = options.beta;
  SentenceStatistics statistics{.width = std::int64_t{3} * (options.char_order + options.word_order),
                                .score = [beta](std::span<const double> sum) {
                                  Statistics counts;
                                  for (std::size_t k = 0; k < sum.size(); k += 3)
                                    counts.push_back({.hypothesis = static_cast<std::int64_t>(sum[k]),
                                                      .reference = static_cast<std::int64_t>(sum[k + 1]),
                                                      .matches = static_cast<std::int64_t>(sum[k + 2])});
                                  return f_score(counts, beta);
                                }};
  for (std::size_t i = 0; i < hypotheses.size(); ++i)
    for (const Counts& counts : best_of(Line(hypotheses[i], options), i, references, options))
      for (const auto count : {counts.hypothesis, counts.reference, counts.matches})
        statistics.values.push_back(static_cast<double>(count));
  return statistics;
}

}  // namespace weft::metrics
