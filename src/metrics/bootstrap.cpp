#include "weft/metrics/bootstrap.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "base/fail.hpp"
#include "metrics/check_statistics.hpp"
#include "weft/base/random.hpp"

namespace weft::metrics {
namespace {

void check_options(const char* op, const BootstrapOptions& options) {
  check<ValueError>(options.samples > 0, op, "samples is {}; it must be at least 1", options.samples);
  check<ValueError>(options.confidence > 0 && options.confidence < 1, op, "confidence is {}; it must lie between 0 and 1",
                    options.confidence);
}

/// How often a resample has each sentence.
class Resampler {
 public:
  Resampler(std::int64_t sentences, std::uint64_t seed) : times_(static_cast<std::size_t>(sentences)), generator_(seed) {}

  const std::vector<double>& next() {
    std::fill(times_.begin(), times_.end(), 0.0);
    for (std::size_t i = 0; i < times_.size(); ++i) ++times_[generator_.below(times_.size())];
    return times_;
  }

 private:
  std::vector<double> times_;
  Generator generator_;
};

/// Throws NumericError for a score that isn't finite: it has no place among the others, or no difference from them.
double score_of(const char* op, const SentenceStatistics& statistics, const std::vector<double>& times) {
  const auto width = static_cast<std::size_t>(statistics.width);
  std::vector<double> sum(width, 0.0);
  for (std::size_t i = 0; i < times.size(); ++i) {
    if (times[i] == 0) continue;
    for (std::size_t k = 0; k < width; ++k) sum[k] += times[i] * statistics.values[i * width + k];
  }
  const double score = statistics.score(sum);
  check<NumericError>(std::isfinite(score), op, "a resample of the {} sentences has the score {}", times.size(), score);
  return score;
}

/// Linear between the two nearest, as NumPy's.
double quantile(const std::vector<double>& sorted, double share) {
  const double position = share * static_cast<double>(sorted.size() - 1);
  const auto below = static_cast<std::size_t>(position);
  const auto above = std::min(below + 1, sorted.size() - 1);
  return sorted[below] + (position - std::floor(position)) * (sorted[above] - sorted[below]);
}

double mean_of(const std::vector<double>& values) {
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

ConfidenceInterval interval(double score, std::vector<double> scores, double confidence) {
  const double mean = mean_of(scores);
  std::sort(scores.begin(), scores.end());
  return {.score = score,
          .mean = mean,
          .low = quantile(scores, (1 - confidence) / 2),
          .high = quantile(scores, (1 + confidence) / 2),
          .confidence = confidence};
}

double share(std::int64_t count, const std::vector<double>& of) {
  return static_cast<double>(count) / static_cast<double>(of.size());
}

}  // namespace

std::string ConfidenceInterval::str() const {
  return fmt::format("{:.2f} [{:.2f}, {:.2f}] ({:g} %)", score, low, high, 100 * confidence);
}

std::string PairedBootstrap::str() const {
  return fmt::format("a {:.2f}, b {:.2f}, difference {}, p = {:.4f}, a higher in {:.1f} %, b in {:.1f} %", a.score, b.score,
                     difference.str(), p_value, 100 * a_higher, 100 * b_higher);
}

ConfidenceInterval bootstrap(const SentenceStatistics& statistics, const BootstrapOptions& options) {
  check_options("bootstrap", options);
  check_statistics("bootstrap", statistics);
  Resampler resampler(statistics.sentences(), options.seed);
  std::vector<double> scores;
  for (std::int64_t n = 0; n < options.samples; ++n) scores.push_back(score_of("bootstrap", statistics, resampler.next()));
  return interval(corpus_score(statistics), std::move(scores), options.confidence);
}

PairedBootstrap paired_bootstrap(const SentenceStatistics& a, const SentenceStatistics& b, const BootstrapOptions& options) {
  constexpr const char* op = "paired_bootstrap";
  check_options(op, options);
  check_statistics(op, a);
  check_statistics(op, b);
  check<ValueError>(a.width == b.width, op, "{} numbers a sentence of a, but {} of b: statistics of two metrics", a.width,
                    b.width);
  check<ValueError>(a.sentences() == b.sentences(), op, "{} sentences of a, but {} of b", a.sentences(), b.sentences());
  Resampler resampler(a.sentences(), options.seed);
  std::vector<double> as, bs, differences;
  for (std::int64_t n = 0; n < options.samples; ++n) {
    const auto& times = resampler.next();
    as.push_back(score_of(op, a, times));
    bs.push_back(score_of(op, b, times));
    differences.push_back(as.back() - bs.back());
  }
  const double difference = corpus_score(a) - corpus_score(b), mean = mean_of(differences);
  PairedBootstrap result{
      .a_higher = share(std::count_if(differences.begin(), differences.end(), [](double d) { return d > 0; }), differences),
      .b_higher = share(std::count_if(differences.begin(), differences.end(), [](double d) { return d < 0; }), differences)};
  const auto as_far = std::count_if(differences.begin(), differences.end(),
                                    [&](double d) { return std::abs(d - mean) >= std::abs(difference); });
  result.p_value = static_cast<double>(as_far + 1) / static_cast<double>(options.samples + 1);
  result.a = interval(corpus_score(a), std::move(as), options.confidence);
  result.b = interval(corpus_score(b), std::move(bs), options.confidence);
  result.difference = interval(difference, std::move(differences), options.confidence);
  return result;
}

}  // namespace weft::metrics
