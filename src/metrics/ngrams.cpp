#include "metrics/ngrams.hpp"

#include <algorithm>
#include <iterator>

namespace weft::metrics {

Sequence Sequence::of_words(const std::vector<std::string>& words) {
  Sequence sequence;
  for (const auto& word : words) {
    if (!sequence.text_.empty()) sequence.text_ += ' ';
    const std::size_t begin = sequence.text_.size();
    sequence.text_ += word;
    sequence.units_.push_back({begin, sequence.text_.size()});
  }
  return sequence;
}

Sequence Sequence::of_characters(std::string_view line) {
  Sequence sequence;
  sequence.text_ = line;
  for (std::size_t i = 0; i < line.size(); ++i) {
    const bool starts_character = (static_cast<std::uint8_t>(line[i]) & 0xC0) != 0x80;
    if (starts_character) sequence.units_.push_back({i, i});
    sequence.units_.back().end = i + 1;
  }
  return sequence;
}

NGrams Sequence::ngrams(int order) const {
  NGrams result;
  const auto length = static_cast<std::size_t>(order);
  for (std::size_t i = 0; i + length <= units_.size(); ++i) {
    const std::size_t begin = units_[i].begin;
    result.push_back(std::string_view(text_).substr(begin, units_[i + length - 1].end - begin));
  }
  std::sort(result.begin(), result.end());
  return result;
}

std::int64_t count_matches(const NGrams& a, const NGrams& b) {
  NGrams common;
  std::set_intersection(a.begin(), a.end(), b.begin(), b.end(), std::back_inserter(common));
  return static_cast<std::int64_t>(common.size());
}

NGrams united(const NGrams& a, const NGrams& b) {
  NGrams result;
  std::set_union(a.begin(), a.end(), b.begin(), b.end(), std::back_inserter(result));
  return result;
}

}  // namespace weft::metrics
