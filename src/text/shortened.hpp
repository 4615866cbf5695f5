#pragma once
#include <string>
#include <string_view>

namespace weft::text {

/// A text of no more than `most` bytes, or as many characters of it (UTF-8) as fit in and "...".
inline std::string shortened(std::string_view text, std::size_t most) {
  if (text.size() <= most) return std::string(text);
  std::size_t end = most;
  while (end > 0 && (text[end] & 0xC0) == 0x80) --end;  // within a character
  return std::string(text.substr(0, end)) + "...";
}

}  // namespace weft::text
