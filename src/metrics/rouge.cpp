#include "weft/metrics/rouge.hpp"

#include <unicode/uchar.h>

#include <algorithm>
#include <map>
#include <set>

#include "base/fail.hpp"
#include "metrics/corpus.hpp"
#include "metrics/marks.hpp"
#include "metrics/ngrams.hpp"
#include "weft/text/lower.hpp"
#include "weft/text/utf8.hpp"

namespace weft::metrics {
namespace {

using Words = std::vector<std::string>;

bool is_word_part(char32_t c) {
  return (U_GET_GC_MASK(static_cast<UChar32>(c)) & (U_GC_L_MASK | U_GC_M_MASK | U_GC_N_MASK)) != 0;
}

Words words(const std::string& raw, const RougeOptions& options) {
  const std::string line = options.lowercase ? text::lower(raw) : raw;
  if (options.tokenize) return tokenize(line, *options.tokenize);
  std::u32string characters = text::decode_utf8(line);
  for (char32_t& c : characters)
    if (!is_word_part(c)) c = U' ';
  return split(characters);
}

RougeScore from_counts(std::int64_t matches, std::size_t hypothesis, std::size_t reference) {
  if (matches == 0) return {};
  RougeScore score{.precision = 100 * static_cast<double>(matches) / static_cast<double>(hypothesis),
                   .recall = 100 * static_cast<double>(matches) / static_cast<double>(reference)};
  score.f1 = 2 * score.precision * score.recall / (score.precision + score.recall);
  return score;
}

/// lengths[i][j]: of the longest common subsequence of the first i words of `a` and the first j of `b`.
std::vector<std::vector<std::int64_t>> common_lengths(const Words& a, const Words& b) {
  std::vector lengths(a.size() + 1, std::vector<std::int64_t>(b.size() + 1, 0));
  for (std::size_t i = 1; i <= a.size(); ++i)
    for (std::size_t j = 1; j <= b.size(); ++j)
      lengths[i][j] = a[i - 1] == b[j - 1] ? lengths[i - 1][j - 1] + 1 : std::max(lengths[i - 1][j], lengths[i][j - 1]);
  return lengths;
}

/// Adds the places in `reference` of a longest common subsequence; of several, the one that rouge-score takes.
void add_common(const Words& reference, const Words& hypothesis, std::set<std::size_t>& places) {
  const auto lengths = common_lengths(reference, hypothesis);
  for (std::size_t i = reference.size(), j = hypothesis.size(); i > 0 && j > 0;) {
    if (reference[i - 1] == hypothesis[j - 1]) {
      places.insert(i - 1);
      --i, --j;
    } else if (lengths[i][j - 1] > lengths[i - 1][j]) {
      --j;
    } else {
      --i;
    }
  }
}

std::vector<Words> sentences(const std::string& text, const RougeOptions& options) {
  std::vector<Words> result;
  for (std::size_t begin = 0; begin <= text.size();) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    result.push_back(words(text.substr(begin, end - begin), options));
    begin = end + 1;
  }
  return result;
}

std::map<std::string, std::int64_t> tally(const std::vector<Words>& sentences) {
  std::map<std::string, std::int64_t> counts;
  for (const auto& sentence : sentences)
    for (const auto& word : sentence) ++counts[word];
  return counts;
}

std::size_t total(const std::vector<Words>& sentences) {
  std::size_t sum = 0;
  for (const auto& sentence : sentences) sum += sentence.size();
  return sum;
}

RougeScore compare_summaries(const std::vector<Words>& hypothesis, const std::vector<Words>& reference) {
  auto left_in_hypothesis = tally(hypothesis), left_in_reference = tally(reference);
  std::int64_t matches = 0;
  for (const auto& sentence : reference) {
    std::set<std::size_t> places;
    for (const auto& ours : hypothesis) add_common(sentence, ours, places);
    for (const std::size_t place : places) {
      std::int64_t& ours = left_in_hypothesis[sentence[place]];
      std::int64_t& theirs = left_in_reference[sentence[place]];
      if (ours == 0 || theirs == 0) continue;
      --ours, --theirs, ++matches;
    }
  }
  return from_counts(matches, total(hypothesis), total(reference));
}

RougeScore compare_ngrams(const std::string& hypothesis, const std::string& reference, int n, const RougeOptions& options) {
  const Sequence ours = Sequence::of_words(words(hypothesis, options));
  const Sequence theirs = Sequence::of_words(words(reference, options));
  const NGrams found = ours.ngrams(n), wanted = theirs.ngrams(n);
  return from_counts(count_matches(found, wanted), found.size(), wanted.size());
}

/// The last of common_lengths, by two of its rows.
std::int64_t common_length(const Words& a, const Words& b) {
  std::vector<std::int64_t> last(b.size() + 1, 0), row = last;
  for (const std::string& word : a) {
    for (std::size_t j = 1; j <= b.size(); ++j) row[j] = word == b[j - 1] ? last[j - 1] + 1 : std::max(last[j], row[j - 1]);
    std::swap(last, row);
  }
  return last.back();
}

RougeScore compare_sequences(const std::string& hypothesis, const std::string& reference, const RougeOptions& options) {
  const Words ours = words(hypothesis, options), theirs = words(reference, options);
  return from_counts(common_length(ours, theirs), ours.size(), theirs.size());
}

/// Of each sentence `compare(hypothesis, reference)` with the reference of the best F1.
template <class Compare>
std::vector<RougeScore> each_sentence(const char* op, const std::vector<std::string>& hypotheses,
                                      const std::vector<std::vector<std::string>>& references, const Compare& compare) {
  check_corpus(op, hypotheses, references);
  std::vector<RougeScore> scores;
  for (std::size_t i = 0; i < hypotheses.size(); ++i) {
    RougeScore best;
    for (const auto& stream : references)
      best = std::max(best, compare(hypotheses[i], stream[i]),
                      [](const RougeScore& a, const RougeScore& b) { return a.f1 < b.f1; });
    scores.push_back(best);
  }
  return scores;
}

std::vector<RougeScore> each_by_ngrams(const char* op, const std::vector<std::string>& hypotheses,
                                       const std::vector<std::vector<std::string>>& references, int n,
                                       const RougeOptions& options) {
  check<ValueError>(n > 0, op, "n is {}; it must be at least 1", n);
  return each_sentence(op, hypotheses, references, [&](const std::string& hypothesis, const std::string& reference) {
    return compare_ngrams(hypothesis, reference, n, options);
  });
}

std::vector<RougeScore> each_by_sequences(const char* op, const std::vector<std::string>& hypotheses,
                                          const std::vector<std::vector<std::string>>& references,
                                          const RougeOptions& options) {
  return each_sentence(op, hypotheses, references, [&](const std::string& hypothesis, const std::string& reference) {
    return compare_sequences(hypothesis, reference, options);
  });
}

RougeScore mean(std::string name, const std::vector<RougeScore>& sentences) {
  RougeScore sum{.name = std::move(name)};
  for (const RougeScore& each : sentences) {
    sum.precision += each.precision;
    sum.recall += each.recall;
    sum.f1 += each.f1;
  }
  for (double* part : {&sum.precision, &sum.recall, &sum.f1}) *part /= static_cast<double>(sentences.size());
  return sum;
}

SentenceStatistics statistics_of(const std::vector<RougeScore>& sentences) {
  SentenceStatistics statistics{.width = 2, .score = [](std::span<const double> sum) { return sum[0] / sum[1]; }};
  for (const RougeScore& each : sentences) statistics.values.insert(statistics.values.end(), {each.f1, 1});
  return statistics;
}

}  // namespace

std::string RougeScore::str() const { return fmt::format("{} = {:.2f} (P = {:.2f} R = {:.2f})", name, f1, precision, recall); }

RougeScore rouge_n(const std::vector<std::string>& hypotheses, const std::vector<std::vector<std::string>>& references, int n,
                   const RougeOptions& options) {
  return mean(fmt::format("ROUGE-{}", n), each_by_ngrams("rouge_n", hypotheses, references, n, options));
}

RougeScore rouge_l(const std::vector<std::string>& hypotheses, const std::vector<std::vector<std::string>>& references,
                   const RougeOptions& options) {
  return mean("ROUGE-L", each_by_sequences("rouge_l", hypotheses, references, options));
}

RougeScore rouge_lsum(const std::vector<std::string>& hypotheses, const std::vector<std::vector<std::string>>& references,
                      const RougeOptions& options) {
  return mean(
      "ROUGE-Lsum",
      each_sentence("rouge_lsum", hypotheses, references, [&](const std::string& hypothesis, const std::string& reference) {
        return compare_summaries(sentences(hypothesis, options), sentences(reference, options));
      }));
}

SentenceStatistics rouge_n_statistics(const std::vector<std::string>& hypotheses,
                                      const std::vector<std::vector<std::string>>& references, int n,
                                      const RougeOptions& options) {
  return statistics_of(each_by_ngrams("rouge_n_statistics", hypotheses, references, n, options));
}

SentenceStatistics rouge_l_statistics(const std::vector<std::string>& hypotheses,
                                      const std::vector<std::vector<std::string>>& references, const RougeOptions& options) {
  return statistics_of(each_by_sequences("rouge_l_statistics", hypotheses, references, options));
}

}  // namespace weft::metrics
