#include "weft/nn/ctc_decode.hpp"

#include <algorithm>
#include <cstddef>
#include <unordered_map>

#include "base/fail.hpp"
#include "nn/prefix_tree.hpp"
#include "ops/lengths.hpp"
#include "weft/autograd/tape.hpp"
#include "weft/ops/softmax.hpp"

namespace weft::nn {
namespace {

// Log-probabilities of each row's frames.
struct Frames {
  Tensor values;   // f64 [batch, time, classes]
  Tensor lengths;  // i64 [batch], or undefined

  std::int64_t batch() const { return values.size(0); }
  std::int64_t classes() const { return values.size(2); }
  std::int64_t length(std::int64_t row) const { return lengths.defined() ? lengths.data<std::int64_t>()[row] : values.size(1); }
  const double* at(std::int64_t row, std::int64_t t) const {
    return values.data<double>() + (row * values.size(1) + t) * classes();
  }
};

Frames frames_of(const char* op, const Tensor& logits, const Tensor& input_lengths, std::int64_t blank) {
  check<ValueError>(logits.defined(), op, "the logits aren't given");
  check<DTypeError>(is_floating(logits.dtype()), op, "the logits are {}; f32 or f64 is needed", logits);
  check<ShapeError>(logits.rank() == 3, op, "logits {} are not [batch, time, classes]", logits);
  check<IndexError>(blank >= 0 && blank < logits.size(2), op, "blank {} is no class of logits {}", blank, logits);
  const NoGrad guard;
  Frames frames{log_softmax(logits.to(f64), 2).value().contiguous(), checked_lengths(op, input_lengths, "logits", logits, 1)};
  for (std::int64_t row = 0; row < frames.batch(); ++row)
    for (std::int64_t t = 0; t < frames.length(row); ++t)
      check<ValueError>(!std::any_of(frames.at(row, t), frames.at(row, t) + frames.classes(), [](double p) { return p != p; }),
                        op, "frame {} of row {} has no probabilities: a logit is NaN or +inf, or none is above -inf", t, row);
  return frames;
}

// Of the alignments of one prefix with the frames so far: those that end in a blank, and those that end in its last label.
struct Mass {
  double blank = impossible, label = impossible;
  double all() const { return log_add(blank, label); }
};

struct Prefix {
  std::size_t node;
  Mass mass;
};

// What a frame makes of a prefix: the same again (label -1), or one label longer. It becomes a node when it is kept.
struct Candidate {
  std::size_t node;
  std::int64_t label;
  Mass mass;
  double all = impossible;
};

std::vector<Candidate> candidates_of(const std::vector<Prefix>& beam, const PrefixTree& tree, const double* p,
                                     std::int64_t classes, std::int64_t blank) {
  std::vector<Candidate> result;
  std::unordered_map<std::size_t, std::size_t> places;  // of the beam's prefixes
  for (const Prefix& prefix : beam) {
    const std::int64_t last = tree.last(prefix.node);
    places.emplace(prefix.node, result.size());
    result.push_back({prefix.node, -1, {prefix.mass.all() + p[blank], last >= 0 ? prefix.mass.label + p[last] : impossible}});
  }
  for (const Prefix& prefix : beam) {
    const double all = prefix.mass.all();
    const std::int64_t last = tree.last(prefix.node);
    for (std::int64_t label = 0; label < classes; ++label) {
      // One that repeats the last is a new label only behind a blank.
      const double mass = (label == last ? prefix.mass.blank : all) + p[label];
      if (label == blank || mass == impossible) continue;
      const auto known = places.find(tree.child(prefix.node, label));
      if (known == places.end()) {
        result.push_back({prefix.node, label, {impossible, mass}});
      } else {
        Mass& longer = result[known->second].mass;
        longer.label = log_add(longer.label, mass);
      }
    }
  }
  for (Candidate& candidate : result) candidate.all = candidate.mass.all();
  std::erase_if(result, [](const Candidate& candidate) { return candidate.all == impossible; });
  return result;
}

std::vector<DecodedLabels> search(const Frames& frames, std::int64_t row, const CTCBeamOptions& o) {
  PrefixTree tree;
  std::vector<Prefix> beam{{PrefixTree::empty, {.blank = 0}}};
  for (std::int64_t t = 0; t < frames.length(row); ++t) {
    std::vector<Candidate> next = candidates_of(beam, tree, frames.at(row, t), frames.classes(), o.blank);
    keep_best(next, o.beam_width, [](const Candidate& candidate) { return candidate.all; });
    beam.clear();
    for (const Candidate& c : next) beam.push_back({c.label < 0 ? c.node : tree.extended(c.node, c.label), c.mass});
  }
  std::vector<DecodedLabels> result;
  for (const Prefix& prefix : beam)
    if (result.size() < static_cast<std::size_t>(o.n_best)) result.push_back({tree.labels(prefix.node), prefix.mass.all()});
  return result;
}

}  // namespace

std::vector<DecodedLabels> ctc_greedy(const Tensor& logits, const Tensor& input_lengths, std::int64_t blank) {
  const Frames frames = frames_of("ctc_greedy", logits, input_lengths, blank);
  std::vector<DecodedLabels> result(static_cast<std::size_t>(frames.batch()));
  for (std::int64_t row = 0; row < frames.batch(); ++row) {
    DecodedLabels& decoded = result[static_cast<std::size_t>(row)];
    std::int64_t last = blank;
    for (std::int64_t t = 0; t < frames.length(row); ++t) {
      const double *p = frames.at(row, t), *best = std::max_element(p, p + frames.classes());
      decoded.log_probability += *best;
      if (best - p != last && best - p != blank) decoded.labels.push_back(best - p);
      last = best - p;
    }
  }
  return result;
}

std::vector<std::vector<DecodedLabels>> ctc_beam_search(const Tensor& logits, const Tensor& input_lengths,
                                                        const CTCBeamOptions& o) {
  constexpr const char* op = "ctc_beam_search";
  check_beam(op, o.beam_width, o.n_best);
  const Frames frames = frames_of(op, logits, input_lengths, o.blank);
  std::vector<std::vector<DecodedLabels>> result;
  for (std::int64_t row = 0; row < frames.batch(); ++row) result.push_back(search(frames, row, o));
  return result;
}

}  // namespace weft::nn
