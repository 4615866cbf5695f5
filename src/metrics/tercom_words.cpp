#include "metrics/tercom_words.hpp"

#include <boost/algorithm/string/replace.hpp>
#include <utility>

#include "metrics/marks.hpp"
#include "weft/text/lower.hpp"
#include "weft/text/utf8.hpp"

namespace weft::metrics {
namespace {

bool is_mark(char32_t c) { return std::u32string_view(U".,?:;!\"()").find(c) != std::u32string_view::npos; }

bool is_asian_mark(char32_t c) {
  const bool wide =
      std::u32string_view(U"\uFF0E\uFF0C\uFF1F\uFF1A\uFF1B\uFF01\uFF02\uFF08\uFF09").find(c) != std::u32string_view::npos;
  return wide || c == 0x3001 || c == 0x3002 || (c >= 0x3008 && c <= 0x3011) || (c >= 0x3014 && c <= 0x301F) || c == 0x30FB ||
         (c >= 0xFF61 && c <= 0xFF65);
}

/// Ideographs, their radicals, strokes and compatibility forms, enclosed letters. Kana stay in words, as in sacreBLEU.
bool is_ideograph(char32_t c) {
  return (c >= 0x2E80 && c <= 0x2EFF) || (c >= 0x31C0 && c <= 0x31EF) || (c >= 0x3200 && c <= 0x4DBF) ||
         (c >= 0x4E00 && c <= 0x9FFF) || (c >= 0xF900 && c <= 0xFAFF) || (c >= 0xFE30 && c <= 0xFE4F);
}

std::u32string normalized(std::string line) {
  for (const auto& [from, to] :
       {std::pair("\n-", ""), {"\n", " "}, {"&quot;", "\""}, {"&amp;", "&"}, {"&lt;", "<"}, {"&gt;", ">"}})
    boost::replace_all(line, from, to);
  std::u32string marked = isolate(text::decode_utf8(" " + line + " "), is_separate);
  boost::replace_all(marked, U"'s ", U" 's ");
  return mark_stops_and_dashes(std::move(marked));
}

}  // namespace

std::vector<std::string> tercom_words(const std::string& raw, const TerOptions& options) {
  const std::string line = options.case_sensitive ? raw : text::lower(raw);
  std::u32string characters = text::decode_utf8(line);
  while (!characters.empty() && is_space(characters.back())) characters.pop_back();
  if (options.normalized) {
    characters = normalized(text::encode_utf8(characters));
    if (options.asian_support) characters = isolate(isolate(characters, is_ideograph), is_asian_mark);
  }
  if (options.no_punct) std::erase_if(characters, is_mark);
  if (options.no_punct && options.asian_support) std::erase_if(characters, is_asian_mark);
  return split(characters);
}

}  // namespace weft::metrics
