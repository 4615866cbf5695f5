#include "weft/seq2seq/beam_search.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/fail.hpp"
#include "weft/autograd/tape.hpp"
#include "weft/ops/softmax.hpp"

namespace weft::seq2seq {
namespace {

constexpr double impossible = -std::numeric_limits<double>::infinity();

/// A token at the end of a partial hypothesis; `parent` is the place of the one before, -1 at the start.
struct Link {
  std::int64_t parent;
  std::int32_t token;
  std::int64_t step, row;  // where its attention weights stand
};

struct Beam {
  std::int64_t link = -1;
  double log_probability = impossible;
};

struct Candidate {
  double log_probability;
  std::int64_t beam;
  std::int32_t token;
};

// Of equal candidates the first beam's first token counts as better, so that results don't depend on a heap's order.
bool better(const Candidate& a, const Candidate& b) {
  if (a.log_probability != b.log_probability) return a.log_probability > b.log_probability;
  return a.beam != b.beam ? a.beam < b.beam : a.token < b.token;
}

/// One sentence that is being searched.
struct Sentence {
  std::size_t index;  // among the caller's rows
  std::int64_t max_length;
  std::vector<Beam> beams;
  std::vector<Link> links;
  std::vector<Hypothesis> finished;
};

class Search {
 public:
  Search(Model& model, const Padded& source, const BeamSearchOptions& options) : model_(model), options_(options) {
    const std::int64_t rows = source.ids.size(0);
    for (std::int64_t row = 0; row < rows; ++row) {
      const std::int64_t length = source.lengths.data<std::int64_t>()[row];
      Sentence sentence{static_cast<std::size_t>(row),
                        options.max_length > 0 ? options.max_length : 2 * length + 10,
                        std::vector<Beam>(static_cast<std::size_t>(options.beam)),
                        {},
                        {}};
      sentence.beams[0].log_probability = 0;  // the others start nowhere
      live_.push_back(std::move(sentence));
      lengths_.push_back(length);
    }
  }

  std::vector<std::vector<Hypothesis>> run(const Padded& source) {
    std::vector<std::vector<Hypothesis>> results(live_.size());
    auto [memory, state] = model_.encode(source);
    PoolVector<std::int64_t> origins;  // each sentence's beams start from its one row
    for (std::size_t s = 0; s < live_.size(); ++s) origins.insert(origins.end(), beam(), static_cast<std::int64_t>(s));
    state = state.select(Tensor::from<std::int64_t>(origins, {static_cast<std::int64_t>(origins.size())}));
    for (std::int64_t step = 0; !live_.empty(); ++step) {
      DecoderStep next = model_.step(memory, state, last_tokens(), options_.attention);
      check<ValueError>(!options_.attention || next.weights.defined(), "beam_search",
                        "attention weights are asked for, and the model has no attention");
      if (options_.attention) weights_.push_back(next.weights.value().to(f32).contiguous());
      const Tensor scores = log_softmax(model_.project(next.features), -1).value().to(f32).contiguous();
      PoolVector<std::int64_t> parents, stay;  // rows to go on from; sentences to go on with
      std::vector<Sentence> remaining;
      for (std::size_t s = 0; s < live_.size(); ++s) {
        PoolVector<std::int64_t> chosen = extend(live_[s], s, scores, step);
        if (done(live_[s], step)) {
          results[live_[s].index] = finish(live_[s]);
          continue;
        }
        stay.push_back(static_cast<std::int64_t>(s));
        parents.insert(parents.end(), chosen.begin(), chosen.end());
        remaining.push_back(std::move(live_[s]));
      }
      if (remaining.size() < live_.size() && !remaining.empty())
        memory = memory.select(Tensor::from<std::int64_t>(stay, {static_cast<std::int64_t>(stay.size())}));
      live_ = std::move(remaining);
      if (!live_.empty())
        state = next.state.select(Tensor::from<std::int64_t>(parents, {static_cast<std::int64_t>(parents.size())}));
    }
    return results;
  }

 private:
  std::size_t beam() const { return static_cast<std::size_t>(options_.beam); }

  Tensor last_tokens() const {
    Tensor tokens = Tensor::empty({static_cast<std::int64_t>(live_.size() * beam())}, i32);
    auto* place = tokens.mutable_data<std::int32_t>();
    for (const Sentence& sentence : live_)
      for (const Beam& b : sentence.beams)
        *place++ = b.link < 0 ? begin_id : sentence.links[static_cast<std::size_t>(b.link)].token;
    return tokens;
  }

  double normalised(double log_probability, std::size_t length) const {
    return log_probability / std::pow(static_cast<double>(length), options_.length_penalty);
  }

  // The best 2 * beam continuations of a sentence's beams: enough to fill the beam, however many of them end.
  std::vector<Candidate> best_candidates(const Sentence& sentence, std::size_t place, const Tensor& scores) const {
    const std::int64_t vocabulary = scores.size(1);
    const std::size_t wanted = std::min(2 * beam(), beam() * static_cast<std::size_t>(vocabulary));
    std::vector<Candidate> best;  // a heap with the worst on top
    for (std::size_t b = 0; b < beam(); ++b) {
      const double so_far = sentence.beams[b].log_probability;
      if (so_far == impossible) continue;
      const float* row = scores.data<float>() + static_cast<std::int64_t>(place * beam() + b) * vocabulary;
      for (std::int32_t token = 0; token < vocabulary; ++token) {
        const Candidate candidate{so_far + static_cast<double>(row[token]), static_cast<std::int64_t>(b), token};
        if (token == pad_id || token == begin_id || !(candidate.log_probability > impossible)) continue;
        if (best.size() == wanted && !better(candidate, best.front())) continue;
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

  // Moves a sentence's beams one token on; gives the rows that the new beams continue.
  PoolVector<std::int64_t> extend(Sentence& sentence, std::size_t place, const Tensor& scores, std::int64_t step) {
    const std::vector<Candidate> candidates = best_candidates(sentence, place, scores);
    check<NumericError>(!candidates.empty(), "beam_search", "the model gives no finite probability to any token (sentence {})",
                        sentence.index);
    std::vector<Beam> next;
    PoolVector<std::int64_t> rows;
    for (std::size_t c = 0; c < candidates.size() && next.size() < beam(); ++c) {
      const Candidate& candidate = candidates[c];
      const auto row = static_cast<std::int64_t>(place * beam()) + candidate.beam;
      sentence.links.push_back({sentence.beams[static_cast<std::size_t>(candidate.beam)].link, candidate.token, step, row});
      const auto link = static_cast<std::int64_t>(sentence.links.size()) - 1;
      if (candidate.token == end_id) {
        if (c < beam()) sentence.finished.push_back(trace(sentence, link, candidate.log_probability));
        continue;
      }
      next.push_back({link, candidate.log_probability});
      rows.push_back(row);
    }
    while (next.size() < beam()) {  // fewer continuations than beams: the rest lead nowhere
      next.push_back({next.empty() ? -1 : next.back().link, impossible});
      rows.push_back(static_cast<std::int64_t>(place * beam()));
    }
    sentence.beams = std::move(next);
    return rows;
  }

  bool done(const Sentence& sentence, std::int64_t step) const {
    return sentence.finished.size() >= beam() || step + 1 >= sentence.max_length ||
           sentence.beams[0].log_probability == impossible;
  }

  std::vector<Hypothesis> finish(Sentence& sentence) const {
    // What was cut off by the length counts too where too little has ended.
    for (const Beam& b : sentence.beams)
      if (sentence.finished.size() < beam() && b.log_probability != impossible)
        sentence.finished.push_back(trace(sentence, b.link, b.log_probability));
    std::stable_sort(sentence.finished.begin(), sentence.finished.end(),
                     [](const Hypothesis& a, const Hypothesis& b) { return a.score > b.score; });
    if (sentence.finished.size() > beam()) sentence.finished.resize(beam());
    return std::move(sentence.finished);
  }

  Hypothesis trace(const Sentence& sentence, std::int64_t link, double log_probability) const {
    Hypothesis result;
    result.log_probability = log_probability;
    std::vector<const Link*> path;
    for (; link >= 0; link = sentence.links[static_cast<std::size_t>(link)].parent)
      path.push_back(&sentence.links[static_cast<std::size_t>(link)]);
    std::reverse(path.begin(), path.end());
    result.score = normalised(log_probability, path.size());
    for (const Link* token : path)
      if (token->token != end_id) result.ids.push_back(token->token);
    if (options_.attention) {
      const std::int64_t source = lengths_[sentence.index];
      result.attention = Tensor::empty({static_cast<std::int64_t>(path.size()), source});
      for (std::size_t t = 0; t < path.size(); ++t)
        result.attention.select(0, static_cast<std::int64_t>(t))
            .copy_from(weights_[static_cast<std::size_t>(path[t]->step)].select(0, path[t]->row).slice(0, 0, source));
    }
    return result;
  }

  Model& model_;
  const BeamSearchOptions& options_;
  std::vector<Sentence> live_;
  std::vector<std::int64_t> lengths_;
  std::vector<Tensor> weights_;  // of each step [rows, source]
};

}  // namespace

std::vector<std::vector<Hypothesis>> beam_search(Model& model, const Padded& source, const BeamSearchOptions& options) {
  check<ValueError>(options.beam >= 1 && options.beam <= model.target_vocabulary(), "beam_search",
                    "a beam of {}; 1 to {} (the vocabulary) is possible", options.beam, model.target_vocabulary());
  check<ValueError>(options.max_length >= 0, "beam_search", "max_length is {}; it must not be negative", options.max_length);
  check<ValueError>(std::isfinite(options.length_penalty), "beam_search", "length_penalty is {}; it must be finite",
                    options.length_penalty);
  check<ShapeError>(source.ids.rank() == 2 && source.lengths.shape() == Shape{source.ids.size(0)} &&
                        source.lengths.dtype() == i64 && source.lengths.is_contiguous(),
                    "beam_search", "lengths {} don't fit ids {}: one i64 a row is needed", source.lengths, source.ids);
  const NoGrad nothing_recorded;
  return Search(model, source, options).run(source);
}

}  // namespace weft::seq2seq
