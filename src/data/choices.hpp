#pragma once
#include <array>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <map>
#include <span>
#include <vector>

#include "weft/base/random.hpp"

namespace weft::data::grammar {

/// Where the rules of a grammar ask which way to go, so that one set of rules both draws a sentence and is counted.
class Choices {
 public:
  virtual ~Choices() = default;

  /// An option, drawn by its weight; never one of weight 0. At least one weight must be positive.
  virtual std::size_t weighted(std::span<const int> weights) = 0;
  std::size_t weighted(std::initializer_list<int> weights) { return weighted(std::span(weights.begin(), weights.size())); }
  /// One of n options, all alike.
  virtual std::size_t below(std::size_t n) = 0;

  template <class Entry>
  const Entry& pick(std::span<const Entry> entries) {
    return entries[below(entries.size())];
  }
  /// One of the entries that `matches`.
  template <class Entry, class Matches>
  const Entry& pick(std::span<const Entry> entries, Matches matches) {
    std::vector<const Entry*> found;
    for (const Entry& entry : entries)
      if (matches(entry)) found.push_back(&entry);
    return *found[below(found.size())];
  }

  /// A part of the sentence whose options depend on `key` alone, and on whose outcome no later option depends: it is counted
  /// once for each key, and multiplies.
  using Key = std::array<std::uint32_t, 3>;
  template <class Build>
  auto part(const Key& key, Build build) {
    decltype(build(*this)) result{};
    run(key, [&](Choices& choices) { result = build(choices); });
    return result;
  }

 private:
  virtual void run(const Key& key, const std::function<void(Choices&)>& build) = 0;
};

/// Draws at random.
class RandomChoices : public Choices {
 public:
  explicit RandomChoices(Generator generator) : generator_(generator) {}
  using Choices::weighted;
  std::size_t weighted(std::span<const int> weights) override;
  std::size_t below(std::size_t n) override;

 private:
  void run(const Key& key, const std::function<void(Choices&)>& build) override;
  Generator generator_;
};

/// In how many ways `build` can go.
std::uint64_t count_ways(const std::function<void(Choices&)>& build);

}  // namespace weft::data::grammar
