#include "weft/text/extended_vocabulary.hpp"

#include <algorithm>
#include <array>
#include <limits>
#include <unordered_map>

#include "base/fail.hpp"
#include "text/split.hpp"
#include "weft/text/vocabulary.hpp"

namespace weft::text {
namespace {

constexpr const char* where = "ExtendedVocabulary";
constexpr Vocabulary ids;
static_assert(ids.pad == 0 && ids.unk == 1 && ids.bos == 2 && ids.eos == 3);

const std::string& special_name(std::int32_t id) {
  static const std::array<std::string, 4> names = {"<pad>", "<unk>", "<s>", "</s>"};
  return names[static_cast<std::size_t>(id)];
}

}  // namespace

ExtendedVocabulary ExtendedVocabulary::of(std::span<const std::string> lines, std::int64_t most) {
  check<ValueError>(most == 0 || most > special, where, "most is {}; it must be 0 (all) or at least {}", most, special + 1);
  std::string all;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    if (const auto wrong = find_invalid_utf8(lines[i]))
      fail<FormatError>(where, "byte {} of line {} is not UTF-8", *wrong, i + 1);
    for_each_word(lines[i], [&](std::string_view word) { (all += word) += ' '; });
  }
  check<ValueError>(!all.empty(), where, "{} lines have no words", lines.size());
  return ExtendedVocabulary(Symbols::of(all, SymbolUnit::words, most == 0 ? 0 : most - special + 1));
}

std::int32_t ExtendedVocabulary::id_of(std::string_view word) const {
  const std::int32_t symbol = symbols_.encode(word).front();
  return symbol == 0 ? ids.unk : symbol + special - 1;
}

ExtendedVocabulary::Source ExtendedVocabulary::encode_source(std::string_view line, std::int64_t max_words) const {
  check<ValueError>(max_words >= 0, where, "max_words is {}; it must not be negative", max_words);
  check_utf8(where, line);
  const auto most = max_words == 0 ? std::numeric_limits<std::size_t>::max() : static_cast<std::size_t>(max_words);
  Source source;
  std::unordered_map<std::string_view, std::int32_t> numbers;
  for_each_word(line, [&](std::string_view word) {
    if (source.ids.size() == most) return;
    std::int32_t id = id_of(word);
    if (id == ids.unk) {
      const auto next = static_cast<std::int32_t>(size()) + static_cast<std::int32_t>(source.further.size());
      const auto [place, first] = numbers.emplace(word, next);
      if (first) source.further.emplace_back(word);
      id = place->second;
    }
    source.ids.push_back(id);
  });
  return source;
}

std::vector<std::int32_t> ExtendedVocabulary::encode(std::string_view line, std::span<const std::string> further) const {
  check_utf8(where, line);
  std::vector<std::int32_t> result;
  for_each_word(line, [&](std::string_view word) {
    result.push_back(id_of(word));
    if (result.back() != ids.unk) return;
    const auto found = std::find(further.begin(), further.end(), word);
    if (found != further.end()) result.back() = static_cast<std::int32_t>(size() + (found - further.begin()));
  });
  return result;
}

const std::string& ExtendedVocabulary::word(std::int32_t id, std::span<const std::string> further) const {
  const std::int64_t extended = size() + static_cast<std::int64_t>(further.size());
  check<IndexError>(id >= 0 && id < extended, where, "id {} is outside 0..{}, the {} of the vocabulary and {} further ones", id,
                    extended - 1, size(), further.size());
  if (id < special) return special_name(id);
  return id < size() ? symbols_.name(id - special + 1) : further[static_cast<std::size_t>(id - size())];
}

std::string ExtendedVocabulary::decode(std::span<const std::int32_t> all, std::span<const std::string> further) const {
  std::string text;
  for (const std::int32_t id : all) {
    const std::string& next = word(id, further);
    if (id == ids.pad || id == ids.bos || id == ids.eos) continue;
    text += (text.empty() ? "" : " ") + next;
  }
  return text;
}

ExtendedVocabulary ExtendedVocabulary::from_json(const std::string& json, const std::string& source) {
  Symbols symbols = Symbols::from_json(json, source);
  check<FormatError>(symbols.unit() == SymbolUnit::words, where, "{}: its symbols are characters, not words", source);
  return ExtendedVocabulary(std::move(symbols));
}

}  // namespace weft::text
