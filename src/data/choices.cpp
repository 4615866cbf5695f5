#include "data/choices.hpp"

#include <algorithm>
#include <numeric>

namespace weft::data::grammar {
namespace {

std::size_t first_positive(std::span<const int> weights) {
  return static_cast<std::size_t>(std::find_if(weights.begin(), weights.end(), [](int w) { return w > 0; }) - weights.begin());
}

/// Takes the first option everywhere: the stand-in for a part that has been counted.
class FirstChoices : public Choices {
 public:
  std::size_t weighted(std::span<const int> weights) override { return first_positive(weights); }
  std::size_t below(std::size_t) override { return 0; }

 private:
  void run(const Key&, const std::function<void(Choices&)>& build) override { build(*this); }
};

using Counts = std::map<Choices::Key, std::uint64_t>;

/// Takes all ways one after the other, as an odometer.
class AllChoices : public Choices {
 public:
  explicit AllChoices(Counts& counts) : counts_(counts) {}

  std::uint64_t count(const std::function<void(Choices&)>& build) {
    std::uint64_t total = 0;
    do {
      at_ = 0;
      ways_ = 1;
      build(*this);
      total += ways_;
    } while (advance());
    return total;
  }

  std::size_t weighted(std::span<const int> weights) override {
    std::vector<std::size_t> possible;
    for (std::size_t i = 0; i < weights.size(); ++i)
      if (weights[i] > 0) possible.push_back(i);
    return possible[below(possible.size())];
  }

  std::size_t below(std::size_t n) override {
    if (at_ == digits_.size()) digits_.push_back({0, n});
    return digits_[at_++].value;
  }

 private:
  struct Digit {
    std::size_t value, bound;
  };

  bool advance() {
    while (!digits_.empty() && digits_.back().value + 1 == digits_.back().bound) digits_.pop_back();
    if (digits_.empty()) return false;
    ++digits_.back().value;
    return true;
  }

  void run(const Key& key, const std::function<void(Choices&)>& build) override {
    auto found = counts_.find(key);
    if (found == counts_.end()) found = counts_.emplace(key, AllChoices(counts_).count(build)).first;
    ways_ *= found->second;
    FirstChoices first;
    build(first);
  }

  Counts& counts_;
  std::vector<Digit> digits_;
  std::size_t at_ = 0;
  std::uint64_t ways_ = 1;
};

}  // namespace

std::size_t RandomChoices::weighted(std::span<const int> weights) {
  auto draw = static_cast<std::int64_t>(
      generator_.below(static_cast<std::uint64_t>(std::accumulate(weights.begin(), weights.end(), std::int64_t{0}))));
  std::size_t option = 0;
  while (draw >= weights[option]) draw -= weights[option++];
  return option;
}

std::size_t RandomChoices::below(std::size_t n) { return static_cast<std::size_t>(generator_.below(n)); }

void RandomChoices::run(const Key&, const std::function<void(Choices&)>& build) { build(*this); }

std::uint64_t count_ways(const std::function<void(Choices&)>& build) {
  Counts counts;
  return AllChoices(counts).count(build);
}

}  // namespace weft::data::grammar
