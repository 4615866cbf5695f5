#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "weft/report/attention_map.hpp"
#include "weft/report/report.hpp"

namespace weft::report {

// What all layers and heads of a map say together. Weights that aren't shares, as a gated unit's, count as shares of their
// row's sum.

/// A map of places' attention to themselves, [layers, heads, places, places], as one of what reaches each place through all
/// layers (explain::attention_rollout), [places, places]. Throws ShapeError for another.
AttentionMap rollout(const AttentionMap& map, std::string_view title);

/// How spread the weights of each layer's heads are: the mean entropy of what their queries weigh, in nats, over all texts.
class HeadEntropies {
 public:
  /// Of one text, [layers, heads, queries, keys], as nn::AttentionRecorder::layers gives them; undefined ones are no text.
  /// `of` says what looks at what. Throws ShapeError for other weights, and where layers or heads aren't those of the text
  /// before.
  void add(std::string_view of, const Tensor& weights);
  /// A table with a row for each layer, a column for each head and one for weights that would be all alike over what any head
  /// weighs; nothing where there was no text.
  void draw(Report& page) const;

 private:
  struct Kind {
    std::string of;
    std::int64_t heads = 0;
    std::vector<double> sums = {};  // [layers, heads], over the queries
    double alike = 0;               // the same of even weights
    std::int64_t queries = 0;
  };
  std::vector<Kind> kinds_;
};

}  // namespace weft::report
