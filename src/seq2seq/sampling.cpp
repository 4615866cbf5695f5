#include "weft/seq2seq/sampling.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <numeric>

#include "base/fail.hpp"
#include "seq2seq/decode_loop.hpp"
#include "weft/base/random.hpp"

namespace weft::seq2seq {
namespace {

constexpr const char* where = "sample";
constexpr float impossible = -std::numeric_limits<float>::infinity();

void check_filter(const char* op, const TokenFilter& filter) {
  check<ValueError>(std::isfinite(filter.temperature) && filter.temperature > 0, op,
                    "temperature is {}; it must be finite and above 0", filter.temperature);
  check<ValueError>(filter.top_k >= 0, op, "top_k is {}; it must not be negative", filter.top_k);
  check<ValueError>(filter.top_p > 0 && filter.top_p <= 1, op, "top_p is {}; it must be above 0 and at most 1", filter.top_p);
}

// FNV-1a: what stands for a sentence among all others.
std::uint64_t hash_of(std::span<const std::int32_t> ids) {
  std::uint64_t hash = 0xcbf29ce484222325;
  for (const std::int32_t id : ids) hash = (hash ^ static_cast<std::uint32_t>(id)) * 0x100000001b3;
  return hash;
}

// The ids of a row [columns], or the bits of the numbers of its features [columns, ...].
std::vector<std::int32_t> words_of(const Tensor& row, std::int64_t length) {
  std::vector<std::int32_t> words(static_cast<std::size_t>(length * (row.numel() / row.size(0))));
  std::memcpy(words.data(), row.raw(), words.size() * sizeof(std::int32_t));
  return words;
}

// A number in [0, 1) for one token.
double uniform(std::uint64_t seed, std::uint64_t sentence, std::size_t sample, std::int64_t step) {
  const auto words = philox({static_cast<std::uint32_t>(step), static_cast<std::uint32_t>(sample),
                             static_cast<std::uint32_t>(sentence), static_cast<std::uint32_t>(sentence >> 32)},
                            {static_cast<std::uint32_t>(seed), static_cast<std::uint32_t>(seed >> 32)});
  return static_cast<double>((std::uint64_t{words[0]} << 32 | words[1]) >> 11) * 0x1p-53;
}

class SampleDecoder : public SentenceDecoder {
 public:
  SampleDecoder(const SampleOptions& options, SentenceStart start, std::uint64_t sentence, const AttentionSteps& weights)
      : options_(options),
        start_(std::move(start)),
        sentence_(sentence),
        weights_(weights),
        samples_(static_cast<std::size_t>(options.samples)) {}

  std::int32_t last_token(std::size_t row) const override { return tree_.token(samples_[row].node); }

  std::vector<std::size_t> advance(const SentenceStep& step) override {
    bool all_ended = true;
    for (std::size_t s = 0; s < samples_.size(); ++s) {
      Sample& each = samples_[s];
      if (each.ended) continue;
      const float* scores = step.row(s);
      const std::int32_t token = next_token(s, step);
      check<NumericError>(std::isfinite(scores[token]), where,  // what is drawn is: of the prefix
                          "the model gives token {} of the prefix, at place {}, the log-probability {} (sentence {})", token,
                          step.step, scores[token], start_.index);
      each.node = tree_.add(each.node, token, step.step, step.first_row + static_cast<std::int64_t>(s));
      each.log_probability += static_cast<double>(scores[token]);
      each.ended = token == end_id;
      all_ended = all_ended && each.ended;
    }
    if (all_ended || step.step + 1 >= start_.max_length) return {};
    std::vector<std::size_t> same(samples_.size());
    std::iota(same.begin(), same.end(), std::size_t{0});
    return same;
  }

  std::vector<Hypothesis> result() const {
    std::vector<Hypothesis> all;
    for (const Sample& each : samples_) {
      Hypothesis hypothesis{tree_.tokens(each.node), each.log_probability, each.log_probability, {}};
      if (each.ended) hypothesis.ids.pop_back();
      if (options_.attention) hypothesis.attention = tree_.attention(each.node, weights_, start_.source_length);
      all.push_back(std::move(hypothesis));
    }
    return all;
  }

 private:
  struct Sample {
    std::int64_t node = TokenTree::root;
    double log_probability = 0;
    bool ended = false;
  };

  void check_finite(bool finite) const {
    check<NumericError>(finite, where, "the model gives no finite probability to any token (sentence {})", start_.index);
  }

  std::int32_t next_token(std::size_t s, const SentenceStep& step) const {
    const auto place = static_cast<std::size_t>(step.step);
    if (place < start_.prefix.size()) return start_.prefix[place];
    std::vector<float> scores(step.row(s), step.row(s) + step.vocabulary);
    scores[pad_id] = scores[begin_id] = impossible;
    for (const std::int32_t token : repeating(tree_.tokens(samples_[s].node), options_.no_repeat_ngram))
      scores[static_cast<std::size_t>(token)] = impossible;
    check_finite(std::any_of(scores.begin(), scores.end(), [](float x) { return std::isfinite(x); }));
    return draw_token(filtered_softmax(scores, options_.filter), uniform(options_.seed, sentence_, s, step.step));
  }

  const SampleOptions& options_;
  SentenceStart start_;
  std::uint64_t sentence_;
  const AttentionSteps& weights_;
  TokenTree tree_;
  std::vector<Sample> samples_;
};

}  // namespace

std::int32_t draw_token(std::span<const double> probabilities, double u) {
  double sum = 0;
  std::size_t last = 0;  // of those that can be, where rounding leaves the sum below u
  for (std::size_t token = 0; token < probabilities.size(); ++token) {
    if (probabilities[token] <= 0) continue;
    sum += probabilities[token];
    last = token;
    if (u < sum) break;
  }
  check<ValueError>(sum > 0 && u >= 0 && u < 1, "draw_token",
                    "u is {} and {} probabilities add up to {}; u must be in [0, 1), the sum above 0", u, probabilities.size(),
                    sum);
  return static_cast<std::int32_t>(last);
}

std::vector<double> filtered_softmax(std::span<const float> logits, const TokenFilter& filter) {
  constexpr const char* op = "filtered_softmax";
  check_filter(op, filter);
  std::vector<std::size_t> kept;
  for (std::size_t token = 0; token < logits.size(); ++token) {
    check<NumericError>(logits[token] < std::numeric_limits<float>::infinity(), op, "the logit of token {} is {}", token,
                        logits[token]);  // NaN neither
    if (logits[token] > impossible) kept.push_back(token);
  }
  check<NumericError>(!kept.empty(), op, "no token of {} is possible", logits.size());
  const auto likelier = [&](std::size_t a, std::size_t b) { return logits[a] != logits[b] ? logits[a] > logits[b] : a < b; };
  const auto top_k = static_cast<std::size_t>(filter.top_k);
  if (top_k > 0 && top_k < kept.size()) {
    std::nth_element(kept.begin(), kept.begin() + filter.top_k, kept.end(), likelier);
    kept.resize(top_k);
  }
  std::sort(kept.begin(), kept.end(), likelier);
  std::vector<double> weights;
  for (const std::size_t token : kept)
    weights.push_back(
        std::exp((static_cast<double>(logits[token]) - static_cast<double>(logits[kept[0]])) / filter.temperature));
  double total = std::accumulate(weights.begin(), weights.end(), 0.0);
  if (filter.top_p < 1) {
    double sum = 0;
    std::size_t count = 0;
    while (count < kept.size() && sum < filter.top_p * total) sum += weights[count++];
    kept.resize(count);
    total = sum;
  }
  std::vector<double> probabilities(logits.size(), 0.0);
  for (std::size_t i = 0; i < kept.size(); ++i) probabilities[kept[i]] = weights[i] / total;
  return probabilities;
}

std::vector<std::vector<Hypothesis>> sample(Model& model, const Padded& source, const SampleOptions& options,
                                            std::span<const TokenIds> prefixes) {
  check_filter(where, options.filter);
  check<ValueError>(options.samples >= 1 && options.samples <= most_rows, where, "{} samples; 1 to {} are possible",
                    options.samples, most_rows);
  check<ValueError>(options.no_repeat_ngram >= 0, where, "no_repeat_ngram is {}; it must not be negative",
                    options.no_repeat_ngram);
  AttentionSteps weights;
  std::vector<SampleDecoder> decoders;
  std::vector<SentenceStart> starts = sentence_starts(where, model, source, prefixes, {options.max_length});
  const Tensor cells = source.features.defined() ? source.features.to(f32).contiguous() : source.ids.to(i32).contiguous();
  for (SentenceStart& start : starts) {
    const std::uint64_t hash = hash_of(words_of(cells.select(0, static_cast<std::int64_t>(start.index)), start.source_length));
    decoders.emplace_back(options, std::move(start), hash, weights);
  }
  std::vector<SentenceDecoder*> sentences;
  for (SampleDecoder& decoder : decoders) sentences.push_back(&decoder);
  decode(where, model, source, options.samples, options.attention, sentences, weights);
  std::vector<std::vector<Hypothesis>> results;
  for (const SampleDecoder& decoder : decoders) results.push_back(decoder.result());
  return results;
}

}  // namespace weft::seq2seq
