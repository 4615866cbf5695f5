#include "weft/seq2seq/beam_search.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/fail.hpp"
#include "seq2seq/decode_loop.hpp"

namespace weft::seq2seq {
namespace {

constexpr const char* where = "beam_search";
constexpr double impossible = -std::numeric_limits<double>::infinity();

struct Beam {
  std::int64_t node = TokenTree::root;
  double log_probability = impossible;
};

struct Candidate {
  double rank;  // log probability, less where earlier groups took the token
  double log_probability;
  std::size_t beam;  // among its group's
  std::int32_t token;
};

// Of equal candidates the first beam's first token counts as better, so that results don't depend on a heap's order.
bool better(const Candidate& a, const Candidate& b) {
  if (a.rank != b.rank) return a.rank > b.rank;
  return a.beam != b.beam ? a.beam < b.beam : a.token < b.token;
}

/// A part of the beam that goes on by itself.
struct Group {
  std::vector<Beam> beams;           // the best first; those that lead nowhere last
  std::vector<Hypothesis> finished;  // those of the highest scores, no more than can be results, in order
  bool done = false;
};

/// Takes in what is among the best `most`, behind what is as good: in order, the best first.
template <class T, class Score>
void keep_best(std::vector<T>& best, T value, std::size_t most, const Score& score) {
  const auto worse = [&](const T& a, const T& b) { return score(a) > score(b); };
  const auto place = std::upper_bound(best.begin(), best.end(), value, worse);
  best.insert(place, std::move(value));
  if (best.size() > most) best.pop_back();
}

double score_of(const Hypothesis& hypothesis) { return hypothesis.score; }

/// What lengths (with the end token) are raised to the penalty from.
double length_base(LengthNormalisation kind, std::size_t length) {
  const auto tokens = static_cast<double>(length);
  return kind == LengthNormalisation::gnmt ? (5 + tokens) / 6 : tokens;
}

class BeamDecoder : public SentenceDecoder {
 public:
  BeamDecoder(const BeamSearchOptions& options, SentenceStart start, const AttentionSteps& weights)
      : options_(options), start_(std::move(start)), weights_(weights) {
    groups_.resize(static_cast<std::size_t>(options.diverse_groups));
    for (Group& group : groups_) {
      group.beams.resize(static_cast<std::size_t>(options.beam / options.diverse_groups));
      group.beams[0].log_probability = 0;  // the others start nowhere
    }
  }

  std::int32_t last_token(std::size_t row) const override {
    return tree_.token(groups_[row / width()].beams[row % width()].node);
  }

  std::vector<std::size_t> advance(const SentenceStep& step) override {
    std::vector<std::size_t> parents;
    // How many beams of earlier groups took each token at this step.
    std::vector<std::int32_t> taken(groups_.size() > 1 ? static_cast<std::size_t>(step.vocabulary) : 0);
    bool done = true;
    for (std::size_t g = 0; g < groups_.size(); ++g) {
      if (groups_[g].done) {
        for (std::size_t b = 0; b < width(); ++b) parents.push_back(g * width() + b);
        continue;
      }
      extend(groups_[g], g * width(), step, taken, parents);
      groups_[g].done = is_done(groups_[g], static_cast<std::size_t>(step.step + 1));
      done = done && groups_[g].done;
    }
    if (done || step.step + 1 >= start_.max_length) parents.clear();
    return parents;
  }

  std::vector<Hypothesis> result() {
    std::vector<Hypothesis> all;
    for (Group& group : groups_) {
      // What was cut off by the length counts too where too little has ended.
      for (const Beam& b : group.beams)
        if (group.finished.size() < width() && b.log_probability != impossible)
          keep_best(group.finished, hypothesis(b.node, b.log_probability), width(), score_of);
      std::move(group.finished.begin(), group.finished.end(), std::back_inserter(all));
    }
    std::stable_sort(all.begin(), all.end(), [](const Hypothesis& a, const Hypothesis& b) { return a.score > b.score; });
    return all;
  }

 private:
  std::size_t width() const { return groups_[0].beams.size(); }

  // The best continuations of a group's beams, two for each: enough to fill the group, however many of them end.
  std::vector<Candidate> best_candidates(const Group& group, std::size_t first, const SentenceStep& step,
                                         const std::vector<std::int32_t>& taken) const {
    const std::size_t wanted = 2 * width();
    std::vector<Candidate> best;  // a heap with the worst on top
    const auto place = static_cast<std::size_t>(step.step);
    for (std::size_t b = 0; b < width(); ++b) {
      const double so_far = group.beams[b].log_probability;
      if (so_far == impossible) continue;
      const float* row = step.row(first + b);
      const bool forced = place < start_.prefix.size();
      std::vector<std::int32_t> blocked;
      if (options_.no_repeat_ngram > 0 && !forced)
        blocked = repeating(tree_.tokens(group.beams[b].node), options_.no_repeat_ngram);
      const std::int32_t begin = forced ? start_.prefix[place] : 0;
      const auto end = forced ? begin + 1 : static_cast<std::int32_t>(step.vocabulary);
      for (std::int32_t token = begin; token < end; ++token) {
        Candidate candidate{0, so_far + static_cast<double>(row[token]), b, token};
        candidate.rank = candidate.log_probability;
        if (!taken.empty()) candidate.rank -= options_.diversity_strength * taken[static_cast<std::size_t>(token)];
        if (token == pad_id || token == begin_id || !(candidate.log_probability > impossible)) continue;
        if (best.size() == wanted && !better(candidate, best.front())) continue;
        if (std::find(blocked.begin(), blocked.end(), token) != blocked.end()) continue;
        if (best.size() == wanted) {
          std::pop_heap(best.begin(), best.end(), better);
          best.pop_back();
        }
        best.push_back(candidate);
        std::push_heap(best.begin(), best.end(), better);
      }
    }
    std::sort(best.begin(), best.end(), better);
    return best;
  }

  // Moves a group's beams one token on; adds the rows that the new beams continue.
  void extend(Group& group, std::size_t first, const SentenceStep& step, std::vector<std::int32_t>& taken,
              std::vector<std::size_t>& parents) {
    const std::vector<Candidate> candidates = best_candidates(group, first, step, taken);
    const auto place = static_cast<std::size_t>(step.step);
    if (candidates.empty() && place < start_.prefix.size())
      fail<NumericError>(where, "the model gives no finite probability to token {} of the prefix, at place {} (sentence {})",
                         start_.prefix[place], place, start_.index);
    check<NumericError>(!candidates.empty(), where, "the model gives no finite probability to any token (sentence {})",
                        start_.index);
    std::vector<Beam> next;
    for (std::size_t c = 0; c < candidates.size() && next.size() < width(); ++c) {
      const Candidate& candidate = candidates[c];
      const bool ends = candidate.token == end_id;
      if (ends && c >= width()) continue;
      const std::int64_t node = tree_.add(group.beams[candidate.beam].node, candidate.token, step.step,
                                          step.first_row + static_cast<std::int64_t>(first + candidate.beam));
      if (!taken.empty()) ++taken[static_cast<std::size_t>(candidate.token)];
      if (ends) {
        finish(group, node, candidate.log_probability);
      } else {
        next.push_back({node, candidate.log_probability});
        parents.push_back(first + candidate.beam);
      }
    }
    while (next.size() < width()) {  // fewer continuations than beams: the rest lead nowhere
      next.push_back({next.empty() ? TokenTree::root : next.back().node, impossible});
      parents.push_back(first);
    }
    group.beams = std::move(next);
  }

  void finish(Group& group, std::int64_t node, double log_probability) const {
    keep_best(group.finished, hypothesis(node, log_probability), width(), score_of);
  }

  // As many have ended as are wanted, and none that lives would be among them if it ended as it is: the first to end are often
  // the short and unlikely ones. Coverage, which only takes from a score, counts for those that have ended alone.
  bool is_done(const Group& group, std::size_t length) const {
    double living = impossible;
    for (const Beam& b : group.beams) living = std::max(living, b.log_probability);
    if (living == impossible) return true;
    return group.finished.size() == width() && group.finished.back().score >= normalised(living, length);
  }

  // length: with the end token
  double normalised(double log_probability, std::size_t length) const {
    return log_probability / std::pow(length_base(options_.length_normalisation, length), options_.length_penalty);
  }

  Hypothesis hypothesis(std::int64_t node, double log_probability) const {
    Hypothesis result{tree_.tokens(node), log_probability, 0, {}};
    result.score = normalised(log_probability, result.ids.size());
    if (!result.ids.empty() && result.ids.back() == end_id) result.ids.pop_back();
    if (!options_.attention && options_.coverage_penalty == 0) return result;
    const Tensor attention = tree_.attention(node, weights_, start_.source_length);
    if (options_.coverage_penalty != 0) result.score += options_.coverage_penalty * coverage(attention);
    if (options_.attention) result.attention = attention;
    return result;
  }

  const BeamSearchOptions& options_;
  SentenceStart start_;
  const AttentionSteps& weights_;
  TokenTree tree_;
  std::vector<Group> groups_;
};

void check_options(const BeamSearchOptions& o) {
  check<ValueError>(o.beam >= 1, where, "a beam of {}; 1 or more is possible", o.beam);
  check<ValueError>(o.beam <= most_rows, where, "a beam of {}; {} at most are possible", o.beam, most_rows);
  check<ValueError>(std::isfinite(o.length_penalty), where, "length_penalty is {}; it must be finite", o.length_penalty);
  check<ValueError>(std::isfinite(o.coverage_penalty) && o.coverage_penalty >= 0, where,
                    "coverage_penalty is {}; it must be finite and not negative", o.coverage_penalty);
  check<ValueError>(o.no_repeat_ngram >= 0, where, "no_repeat_ngram is {}; it must not be negative", o.no_repeat_ngram);
  check<ValueError>(o.diverse_groups >= 1 && o.beam % o.diverse_groups == 0, where,
                    "diverse_groups {} don't divide a beam of {}", o.diverse_groups, o.beam);
  check<ValueError>(std::isfinite(o.diversity_strength) && o.diversity_strength >= 0, where,
                    "diversity_strength is {}; it must be finite and not negative", o.diversity_strength);
}

// Scores that are rounded to 0 would be the same for all.
void check_length_penalty(const BeamSearchOptions& o, std::int64_t max_length) {
  constexpr double most = 600;  // of a normalisation's logarithm
  const double growth = std::log(length_base(o.length_normalisation, static_cast<std::size_t>(max_length)));
  check<ValueError>(std::abs(o.length_penalty) * growth <= most, where,
                    "length_penalty is {}: scores of {} tokens, the longest that can be, would leave the range of doubles; "
                    "-{} to {} are possible",
                    o.length_penalty, max_length, std::floor(most / growth), std::floor(most / growth));
}

}  // namespace

double coverage(const Tensor& attention) {
  check<ShapeError>(attention.rank() == 2, "coverage", "attention {} is not [tokens, source]", attention);
  check<DTypeError>(attention.dtype() == f32, "coverage", "attention {} is not f32", attention);
  const Tensor rows = attention.contiguous();
  const std::int64_t tokens = rows.size(0), source = rows.size(1);
  double result = 0;
  for (std::int64_t i = 0; i < source; ++i) {
    double sum = 0;
    for (std::int64_t j = 0; j < tokens; ++j) sum += static_cast<double>(rows.data<float>()[j * source + i]);
    result += std::log(std::clamp(sum, 1e-9, 1.0));
  }
  return result;
}

std::vector<std::vector<Hypothesis>> beam_search(Model& model, const Padded& source, const BeamSearchOptions& options,
                                                 std::span<const TokenIds> prefixes) {
  check_options(options);
  AttentionSteps weights;
  std::vector<BeamDecoder> decoders;
  const LengthLimit limit{options.max_length, options.max_length_ratio, options.max_length_offset};
  for (SentenceStart& start : sentence_starts(where, model, source, prefixes, limit)) {
    check_length_penalty(options, start.max_length);
    decoders.emplace_back(options, std::move(start), weights);
  }
  std::vector<SentenceDecoder*> sentences;
  for (BeamDecoder& decoder : decoders) sentences.push_back(&decoder);
  decode(where, model, source, options.beam, options.attention || options.coverage_penalty != 0, sentences, weights);
  std::vector<std::vector<Hypothesis>> results;
  for (BeamDecoder& decoder : decoders) results.push_back(decoder.result());
  return results;
}

}  // namespace weft::seq2seq
