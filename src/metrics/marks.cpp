#include "metrics/marks.hpp"

#include <unicode/uchar.h>

#include "weft/text/utf8.hpp"

namespace weft::metrics {
namespace {

bool is_digit(char32_t c) { return c >= U'0' && c <= U'9'; }
bool is_not_digit(char32_t c) { return !is_digit(c); }
bool is_stop(char32_t c) { return c == U'.' || c == U','; }
bool is_dash(char32_t c) { return c == U'-'; }

}  // namespace

bool is_space(char32_t c) { return u_isspace(static_cast<UChar32>(c)) != 0; }

bool is_separate(char32_t c) {
  return (c >= U' ' && c <= U'&') || (c >= U'(' && c <= U'+') || c == U'/' || (c >= U':' && c <= U'@') ||
         (c >= U'[' && c <= U'`') || (c >= U'{' && c <= U'~');
}

std::u32string isolate(const std::u32string& line, bool (*what)(char32_t)) {
  std::u32string result;
  for (const char32_t c : line) {
    if (what(c)) {
      result += {U' ', c, U' '};
    } else {
      result += c;
    }
  }
  return result;
}

std::u32string isolate_in_pairs(const std::u32string& line, bool (*first)(char32_t), bool (*second)(char32_t),
                                Member isolated) {
  std::u32string result;
  for (std::size_t i = 0; i < line.size(); ++i) {
    if (i + 1 == line.size() || !first(line[i]) || !second(line[i + 1])) {
      result += line[i];
      continue;
    }
    if (isolated == Member::first) {
      result += {U' ', line[i], U' ', line[i + 1]};
    } else {
      result += {line[i], U' ', line[i + 1], U' '};
    }
    ++i;
  }
  return result;
}

std::u32string mark_stops_and_dashes(std::u32string line) {
  line = isolate_in_pairs(line, is_not_digit, is_stop, Member::second);
  line = isolate_in_pairs(line, is_stop, is_not_digit, Member::first);
  return isolate_in_pairs(line, is_digit, is_dash, Member::second);
}

std::vector<std::string> split(std::u32string_view line) {
  std::vector<std::string> words;
  for (std::size_t begin = 0; begin < line.size();) {
    std::size_t end = begin;
    while (end < line.size() && !is_space(line[end])) ++end;
    if (end > begin) words.push_back(text::encode_utf8(line.substr(begin, end - begin)));
    begin = end + 1;
  }
  return words;
}

}  // namespace weft::metrics
