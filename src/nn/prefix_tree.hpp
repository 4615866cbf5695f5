#pragma once
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>
#include <numeric>
#include <utility>
#include <vector>

#include "base/fail.hpp"

namespace weft::nn {

/// Throws ValueError naming `op` for a beam that isn't positive, and for more results than it has.
inline void check_beam(const char* op, std::int64_t beam_width, std::int64_t n_best) {
  check<ValueError>(beam_width > 0, op, "beam_width is {}; it must be positive", beam_width);
  check<ValueError>(n_best > 0 && n_best <= beam_width, op, "n_best is {}; 1 to the beam_width of {} can be given", n_best,
                    beam_width);
}

constexpr double impossible = -std::numeric_limits<double>::infinity();

/// log(e^a + e^b)
inline double log_add(double a, double b) {
  if (a < b) std::swap(a, b);
  return b == impossible ? a : a + std::log1p(std::exp(b - a));
}

/// The `count` of the highest score in descending order; of equal ones those that stand first.
template <class Item, class Score>
void keep_best(std::vector<Item>& items, std::int64_t count, const Score& score) {
  std::vector<std::size_t> order(items.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  const auto end = order.begin() + std::min(count, static_cast<std::int64_t>(order.size()));
  std::partial_sort(order.begin(), end, order.end(), [&](std::size_t a, std::size_t b) {
    const double left = score(items[a]), right = score(items[b]);
    return left > right || (left == right && a < b);
  });
  std::vector<Item> kept;
  for (auto place = order.begin(); place != end; ++place) kept.push_back(std::move(items[*place]));
  items = std::move(kept);
}

/// The sequences of labels that a search has kept, each under a number.
class PrefixTree {
 public:
  static constexpr std::size_t empty = 0, none = static_cast<std::size_t>(-1);

  /// The prefix with one label more, if it was kept before; otherwise `none`.
  std::size_t child(std::size_t prefix, std::int64_t label) const {
    const auto place = children_.find({prefix, label});
    return place != children_.end() ? place->second : none;
  }
  /// The same, made where it wasn't.
  std::size_t extended(std::size_t prefix, std::int64_t label) {
    const auto [place, is_new] = children_.try_emplace({prefix, label}, nodes_.size());
    if (is_new) nodes_.push_back({prefix, label, nodes_[prefix].length + 1});
    return place->second;
  }
  std::int64_t last(std::size_t prefix) const { return nodes_[prefix].label; }  ///< -1 for the empty one
  std::int64_t length(std::size_t prefix) const { return nodes_[prefix].length; }
  std::vector<std::int64_t> labels(std::size_t prefix) const {
    std::vector<std::int64_t> result(static_cast<std::size_t>(length(prefix)));
    for (std::size_t i = result.size(); i > 0; prefix = nodes_[prefix].parent) result[--i] = last(prefix);
    return result;
  }

 private:
  struct Node {
    std::size_t parent;
    std::int64_t label;
    std::int64_t length;
  };
  std::vector<Node> nodes_{{0, -1, 0}};
  std::map<std::pair<std::size_t, std::int64_t>, std::size_t> children_;
};

}  // namespace weft::nn
