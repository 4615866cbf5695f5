#include "metrics/shifted_edits.hpp"

#include <algorithm>
#include <cmath>
#include <optional>
#include <tuple>

namespace weft::metrics {
namespace {

constexpr int longest_move = 10, farthest_move = 50, beam = 25, most_candidates = 1000;
constexpr int unreachable = 1 << 30;

enum class Step : char { none, keep, replace, drop, add };  // drop a word of the hypothesis, add one of the reference

/// Edit distances from the beginnings of a hypothesis to those of the reference, near the diagonal alone.
class Distances {
 public:
  Distances(std::size_t hypothesis_length, const std::vector<int>& reference)
      : reference_(reference),
        width_(reference.size() + 1),
        cells_((hypothesis_length + 1) * width_),
        ratio_(hypothesis_length == 0 ? 1.0 : static_cast<double>(reference.size()) / static_cast<double>(hypothesis_length)) {
    for (std::size_t j = 0; j < width_; ++j) cells_[j] = {static_cast<int>(j), Step::add};
    if (ratio_ / 2 > beam) beam_ = static_cast<std::int64_t>(std::ceil(ratio_ / 2 + beam));  // so that rows overlap
  }

  /// Distance of a hypothesis, always of the same length. Rows of a beginning that it shares with the last one are kept.
  int of(const std::vector<int>& words) {
    const auto differs = std::mismatch(words.begin(), words.end(), words_.begin(), words_.end()).first;
    const auto shared = static_cast<std::size_t>(differs - words.begin());
    for (std::size_t i = shared + 1; i <= words.size(); ++i) fill_row(i, words);
    words_ = words;
    return cells_.back().cost;
  }

  /// Steps of the last hypothesis, in order.
  std::vector<Step> path() const {
    std::vector<Step> steps;
    for (std::size_t i = words_.size(), j = width_ - 1; i > 0 || j > 0;) {
      const Step step = cells_[i * width_ + j].step;
      steps.push_back(step);
      if (step != Step::add) --i;
      if (step != Step::drop) --j;
    }
    std::reverse(steps.begin(), steps.end());
    return steps;
  }

 private:
  struct Cell {
    int cost = unreachable;
    Step step = Step::none;
  };

  void fill_row(std::size_t i, const std::vector<int>& words) {
    Cell* row = &cells_[i * width_];
    const Cell* above = row - width_;
    std::fill(row, row + width_, Cell{});
    const auto diagonal = static_cast<std::int64_t>(std::floor(static_cast<double>(i) * ratio_));
    const auto begin = static_cast<std::size_t>(std::max<std::int64_t>(0, diagonal - beam_));
    const auto end = i == words.size() ? width_ : std::min(width_, static_cast<std::size_t>(diagonal + beam_));
    for (std::size_t j = begin; j < end; ++j) {
      const auto offer = [&](int cost, Step step) {
        if (cost < row[j].cost) row[j] = {cost, step};
      };
      // Which of equal steps comes first decides the alignment, and so which moves are tried.
      if (j > 0) {
        const bool same = words[i - 1] == reference_[j - 1];
        offer(above[j - 1].cost + (same ? 0 : 1), same ? Step::keep : Step::replace);
      }
      offer(above[j].cost + 1, Step::drop);
      if (j > 0) offer(row[j - 1].cost + 1, Step::add);
    }
  }

  const std::vector<int>& reference_;
  std::size_t width_;
  std::vector<Cell> cells_;  // [words of the hypothesis + 1, words of the reference + 1]
  double ratio_;
  std::int64_t beam_ = beam;
  std::vector<int> words_;
};

/// Where the words of the reference stand in the hypothesis, and which words of both are edited.
struct Alignment {
  std::vector<std::int64_t> position;  // by word of the reference: last word of the hypothesis up to it, -1 before the first
  std::vector<bool> wrong_in_hypothesis, wrong_in_reference;

  explicit Alignment(const std::vector<Step>& path) {
    std::int64_t at = -1;
    for (const Step step : path) {
      const bool wrong = step != Step::keep;
      if (step != Step::add) {
        ++at;
        wrong_in_hypothesis.push_back(wrong);
      }
      if (step != Step::drop) {
        position.push_back(at);
        wrong_in_reference.push_back(wrong);
      }
    }
  }
};

bool any(const std::vector<bool>& flags, std::size_t begin, std::size_t length) {
  for (std::size_t i = begin; i < begin + length; ++i)
    if (flags[i]) return true;
  return false;
}

/// The stretch moved before `target`, or, where the target lies in the stretch, by as many words to the right.
std::vector<int> moved(std::vector<int> words, std::size_t begin, std::size_t length, std::size_t target) {
  const auto at = [&](std::size_t i) { return words.begin() + static_cast<std::ptrdiff_t>(std::min(i, words.size())); };
  if (target < begin) {
    std::rotate(at(target), at(begin), at(begin + length));
  } else {
    std::rotate(at(begin), at(begin + length), at(target > begin + length ? target : target + length));
  }
  return words;
}

/// Moves one stretch after the other.
class Mover {
 public:
  Mover(const std::vector<int>& hypothesis, const std::vector<int>& reference)
      : words_(hypothesis), reference_(reference), distances_(hypothesis.size(), reference) {}

  std::int64_t edits() {
    std::int64_t moves = 0;
    while (move_best()) ++moves;
    return moves + distances_.of(words_);
  }

 private:
  struct Candidate {
    std::tuple<int, std::int64_t, std::int64_t, std::int64_t> rank;  // what is saved, longer, earlier, to an earlier place
    std::vector<int> words;
  };

  /// False when no move saves anything or too many have been tried.
  bool move_best() {
    const int before = distances_.of(words_);
    const Alignment alignment(distances_.path());
    best_.reset();
    for (std::size_t h = 0; h < words_.size() && tried_ < most_candidates; ++h)
      for (std::size_t r = 0; r < reference_.size() && tried_ < most_candidates; ++r)
        if (std::max(h, r) - std::min(h, r) <= farthest_move) try_from(h, r, before, alignment);
    if (tried_ >= most_candidates || !best_ || std::get<0>(best_->rank) <= 0) return false;
    words_ = std::move(best_->words);
    return true;
  }

  /// Stretches at `h` of the hypothesis that stand at `r` of the reference too.
  void try_from(std::size_t h, std::size_t r, int before, const Alignment& alignment) {
    for (std::size_t length = 1; length <= longest_move && h + length <= words_.size() && r + length <= reference_.size() &&
                                 words_[h + length - 1] == reference_[r + length - 1] && tried_ < most_candidates;
         ++length) {
      const std::int64_t there = alignment.position[r];
      const bool within = there >= static_cast<std::int64_t>(h) && there < static_cast<std::int64_t>(h + length);
      if (within || !any(alignment.wrong_in_hypothesis, h, length) || !any(alignment.wrong_in_reference, r, length)) continue;
      std::int64_t last = -1;
      for (std::size_t offset = 0; offset <= length; ++offset) {
        const std::int64_t target = r + offset == 0 ? 0 : alignment.position[r + offset - 1] + 1;
        if (target == last) continue;
        last = target;
        try_move(h, length, target, before);
      }
    }
  }

  void try_move(std::size_t begin, std::size_t length, std::int64_t target, int before) {
    auto words = moved(words_, begin, length, static_cast<std::size_t>(target));
    const std::tuple rank(before - distances_.of(words), static_cast<std::int64_t>(length), -static_cast<std::int64_t>(begin),
                          -target);
    ++tried_;
    if (!best_ || rank > best_->rank) best_ = Candidate{rank, std::move(words)};
  }

  std::vector<int> words_;
  const std::vector<int>& reference_;
  Distances distances_;
  int tried_ = 0;
  std::optional<Candidate> best_;
};

}  // namespace

std::int64_t shifted_edits(const std::vector<int>& hypothesis, const std::vector<int>& reference) {
  if (reference.empty()) return static_cast<std::int64_t>(hypothesis.size());
  return Mover(hypothesis, reference).edits();
}

}  // namespace weft::metrics
