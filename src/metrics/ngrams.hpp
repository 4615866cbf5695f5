#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace weft::metrics {

/// n-grams in order, each as often as it occurs. They are stretches of the Sequence that they come from.
using NGrams = std::vector<std::string_view>;

/// A line as a row of units, words or characters, whose n-grams are to be counted.
class Sequence {
 public:
  static Sequence of_words(const std::vector<std::string>& words);
  /// Code points of a valid UTF-8 line, white space included.
  static Sequence of_characters(std::string_view line);

  std::int64_t size() const { return static_cast<std::int64_t>(units_.size()); }
  NGrams ngrams(int order) const;

 private:
  struct Unit {
    std::size_t begin, end;  // in text_
  };
  std::string text_;
  std::vector<Unit> units_;
};

/// How many n-grams of `a` are matched by one in `b`, none twice.
std::int64_t count_matches(const NGrams& a, const NGrams& b);

/// Each n-gram as often as in the one of the two that has it more often.
NGrams united(const NGrams& a, const NGrams& b);

}  // namespace weft::metrics
