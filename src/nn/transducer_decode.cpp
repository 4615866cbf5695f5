#include "weft/nn/transducer_decode.hpp"

#include <algorithm>
#include <cstddef>
#include <map>
#include <unordered_map>

#include "base/fail.hpp"
#include "nn/prefix_tree.hpp"
#include "weft/autograd/tape.hpp"
#include "weft/ops/softmax.hpp"

namespace weft::nn {
namespace {

Tensor checked(const char* op, const TransducerScores& scores, const Tensor& lengths, std::int64_t max_labels) {
  check<ValueError>(static_cast<bool>(scores), op, "there is no function that scores");
  check<ValueError>(lengths.defined(), op, "the lengths aren't given");
  check<DTypeError>(is_integer(lengths.dtype()), op, "lengths are {}; integers are needed", lengths);
  check<ShapeError>(lengths.rank() == 1, op, "lengths {} are not [batch]", lengths);
  check<ValueError>(max_labels >= 0, op, "max_labels is {}; it can't be negative", max_labels);
  Tensor ends = lengths.to(i64).contiguous();
  for (std::int64_t row = 0; row < ends.numel(); ++row)
    check<ValueError>(ends.data<std::int64_t>()[row] >= 0, op, "length {} of row {} is negative",
                      ends.data<std::int64_t>()[row], row);
  return ends;
}

// f64 log-probabilities [places, classes].
Tensor log_probabilities(const char* op, const TransducerScores& scores, const std::vector<TransducerPlace>& places,
                         std::int64_t blank) {
  const NoGrad guard;
  const Tensor logits = scores(places);
  check<ValueError>(logits.defined(), op, "the scores are undefined");
  check<DTypeError>(is_floating(logits.dtype()), op, "the scores are {}; f32 or f64 is needed", logits);
  check<ShapeError>(logits.rank() == 2 && logits.size(0) == static_cast<std::int64_t>(places.size()), op,
                    "scores {} of {} places are not [places, classes]", logits, places.size());
  check<IndexError>(blank >= 0 && blank < logits.size(1), op, "blank {} is no class of scores {}", blank, logits);
  Tensor result = log_softmax(logits.to(f64), 1).value().contiguous();
  const double* p = result.data<double>();
  for (const TransducerPlace& place : places) {
    check<ValueError>(!std::any_of(p, p + result.size(1), [](double value) { return value != value; }), op,
                      "frame {} of row {} has no probabilities behind {} labels: a score is NaN or +inf, or none is above -inf",
                      place.frame, place.row, place.labels.size());
    p += result.size(1);
  }
  return result;
}

struct Sequence {
  std::size_t node;
  double mass;  // log of the summed probability
};

// Sequences in the order in which they come up, each once.
class Sequences {
 public:
  void add(std::size_t node, double mass) {
    const auto [place, is_new] = places_.try_emplace(node, items_.size());
    if (is_new)
      items_.push_back({node, mass});
    else
      items_[place->second].mass = log_add(items_[place->second].mass, mass);
  }
  std::vector<Sequence>& items() { return items_; }

 private:
  std::vector<Sequence> items_;
  std::unordered_map<std::size_t, std::size_t> places_;
};

double mass_of(const Sequence& sequence) { return sequence.mass; }

// What of `beam` leaves one frame by a blank.
std::vector<Sequence> through_frame(const TransducerScores& scores, const TransducerBeamOptions& o, PrefixTree& tree,
                                    const std::vector<Sequence>& beam, std::int64_t row, std::int64_t frame) {
  std::map<std::int64_t, Sequences> by_length;
  for (const Sequence& sequence : beam) by_length[tree.length(sequence.node)].add(sequence.node, sequence.mass);
  Sequences left;
  while (!by_length.empty()) {
    const std::int64_t length = by_length.begin()->first;
    std::vector<Sequence> now = std::move(by_length.begin()->second.items());
    by_length.erase(by_length.begin());
    keep_best(now, o.beam_width, mass_of);
    std::vector<TransducerPlace> places;
    for (const Sequence& sequence : now) places.push_back({row, frame, tree.labels(sequence.node)});
    const Tensor all = log_probabilities("transducer_beam_search", scores, places, o.blank);
    struct Longer {
      std::size_t node;
      std::int64_t label;
      double mass;
    };
    std::vector<Longer> longer;
    const double* p = all.data<double>();
    for (const Sequence& sequence : now) {
      if (p[o.blank] != impossible) left.add(sequence.node, sequence.mass + p[o.blank]);
      for (std::int64_t label = 0; label < all.size(1) && length < o.max_labels; ++label)
        if (label != o.blank && p[label] != impossible) longer.push_back({sequence.node, label, sequence.mass + p[label]});
      p += all.size(1);
    }
    keep_best(longer, o.beam_width, [](const Longer& item) { return item.mass; });
    for (const Longer& item : longer) by_length[length + 1].add(tree.extended(item.node, item.label), item.mass);
    double best = impossible;
    for (auto& [steps, waiting] : by_length)
      for (const Sequence& sequence : waiting.items()) best = std::max(best, sequence.mass);
    const auto better = std::count_if(left.items().begin(), left.items().end(),
                                      [best](const Sequence& sequence) { return sequence.mass > best; });
    if (better >= o.beam_width) break;
  }
  keep_best(left.items(), o.beam_width, mass_of);
  return std::move(left.items());
}

}  // namespace

std::vector<DecodedLabels> transducer_greedy(const TransducerScores& scores, const Tensor& input_lengths,
                                             const TransducerOptions& o) {
  constexpr const char* op = "transducer_greedy";
  const Tensor ends = checked(op, scores, input_lengths, o.max_labels);
  std::vector<DecodedLabels> result(static_cast<std::size_t>(ends.numel()));
  std::vector<std::int64_t> frames(result.size(), 0);
  while (true) {
    std::vector<TransducerPlace> places;
    for (std::size_t row = 0; row < result.size(); ++row)
      if (frames[row] < ends.data<std::int64_t>()[row])
        places.push_back({static_cast<std::int64_t>(row), frames[row], result[row].labels});
    if (places.empty()) return result;
    const Tensor all = log_probabilities(op, scores, places, o.blank);
    const double* p = all.data<double>();
    for (const TransducerPlace& place : places) {
      const auto row = static_cast<std::size_t>(place.row);
      const bool full = static_cast<std::int64_t>(place.labels.size()) >= o.max_labels;
      const std::int64_t best = full ? o.blank : std::max_element(p, p + all.size(1)) - p;
      result[row].log_probability += p[best];
      if (best == o.blank)
        ++frames[row];
      else
        result[row].labels.push_back(best);
      p += all.size(1);
    }
  }
}

std::vector<std::vector<DecodedLabels>> transducer_beam_search(const TransducerScores& scores, const Tensor& input_lengths,
                                                               const TransducerBeamOptions& o) {
  constexpr const char* op = "transducer_beam_search";
  check_beam(op, o.beam_width, o.n_best);
  const Tensor ends = checked(op, scores, input_lengths, o.max_labels);
  std::vector<std::vector<DecodedLabels>> result(static_cast<std::size_t>(ends.numel()));
  for (std::size_t row = 0; row < result.size(); ++row) {
    PrefixTree tree;
    std::vector<Sequence> beam{{PrefixTree::empty, 0}};
    for (std::int64_t t = 0; t < ends.data<std::int64_t>()[row]; ++t)
      beam = through_frame(scores, o, tree, beam, static_cast<std::int64_t>(row), t);
    for (const Sequence& sequence : beam)
      if (result[row].size() < static_cast<std::size_t>(o.n_best))
        result[row].push_back({tree.labels(sequence.node), sequence.mass});
  }
  return result;
}

}  // namespace weft::nn
