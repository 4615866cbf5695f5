#include "weft/text/words.hpp"

#include "text/split.hpp"

namespace weft::text {
namespace {

bool is_word_part(char c) {
  const bool ascii = (static_cast<unsigned char>(c) & 0x80) == 0;
  return !ascii || c == '_' || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

}  // namespace

std::string words(std::string_view line) {
  check_utf8("words", line);
  std::string result;
  for_each_word(line, [&](std::string_view piece) {
    for (std::size_t i = 0, end = 0; i < piece.size(); i = end) {
      end = i + 1;
      while (is_word_part(piece[i]) && end < piece.size() && is_word_part(piece[end])) ++end;
      (result += result.empty() ? "" : " ") += piece.substr(i, end - i);
    }
  });
  return result;
}

}  // namespace weft::text
