#pragma once
#include <string_view>

#include "base/fail.hpp"
#include "weft/text/utf8.hpp"

namespace weft::text {

inline void check_utf8(const char* where, std::string_view text) {
  if (const auto wrong = find_invalid_utf8(text)) fail<FormatError>(where, "byte {} of the text is not UTF-8", *wrong);
}

inline bool is_space(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

/// Calls take(word) for what ASCII's white space parts.
template <class Take>
void for_each_word(std::string_view text, const Take& take) {
  for (std::size_t i = 0, end = 0; i < text.size(); i = end) {
    end = i + 1;
    if (is_space(text[i])) continue;
    while (end < text.size() && !is_space(text[end])) ++end;
    take(text.substr(i, end - i));
  }
}

}  // namespace weft::text
