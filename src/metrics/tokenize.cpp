#include "weft/metrics/tokenize.hpp"

#include <unicode/uchar.h>

#include <array>
#include <boost/algorithm/string/replace.hpp>
#include <utility>

#include "base/fail.hpp"
#include "weft/text/utf8.hpp"

namespace weft::metrics {
namespace {

constexpr std::array<std::pair<Tokenization, const char*>, 4> names{
    {{Tokenization::v13a, "13a"}, {Tokenization::none, "none"}, {Tokenization::chars, "char"}, {Tokenization::intl, "intl"}}};

/// Python's str.isspace.
bool is_space(char32_t c) { return u_isspace(static_cast<UChar32>(c)) != 0; }

bool is_digit(char32_t c) { return c >= U'0' && c <= U'9'; }
bool is_not_digit(char32_t c) { return !is_digit(c); }
bool is_stop(char32_t c) { return c == U'.' || c == U','; }
bool is_dash(char32_t c) { return c == U'-'; }

/// ASCII punctuation that is always a word of its own: all but ' , - .
bool is_separate(char32_t c) {
  return (c >= U' ' && c <= U'&') || (c >= U'(' && c <= U'+') || c == U'/' || (c >= U':' && c <= U'@') ||
         (c >= U'[' && c <= U'`') || (c >= U'{' && c <= U'~');
}

bool in_categories(char32_t c, std::uint32_t mask) { return (U_GET_GC_MASK(static_cast<UChar32>(c)) & mask) != 0; }
bool is_not_number(char32_t c) { return !in_categories(c, U_GC_N_MASK); }
bool is_punctuation(char32_t c) { return in_categories(c, U_GC_P_MASK); }
bool is_symbol(char32_t c) { return in_categories(c, U_GC_S_MASK); }

/// s/([what])/ \1 /g
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

enum class Member { first, second };

/// s/([first])([second])/\1 \2 /g or, to isolate the first, s/([first])([second])/ \1 \2/g: pairs don't overlap.
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

std::u32string mark_13a(std::string_view utf8) {
  std::string line(utf8);
  for (const auto& [from, to] :
       {std::pair("<skipped>", ""), {"-\n", ""}, {"\n", " "}, {"&quot;", "\""}, {"&amp;", "&"}, {"&lt;", "<"}, {"&gt;", ">"}})
    boost::replace_all(line, from, to);
  auto marked = isolate(text::decode_utf8(" " + line + " "), is_separate);
  marked = isolate_in_pairs(marked, is_not_digit, is_stop, Member::second);
  marked = isolate_in_pairs(marked, is_stop, is_not_digit, Member::first);
  return isolate_in_pairs(marked, is_digit, is_dash, Member::second);
}

std::u32string mark_intl(std::u32string line) {
  line = isolate_in_pairs(line, is_not_number, is_punctuation, Member::second);
  line = isolate_in_pairs(line, is_punctuation, is_not_number, Member::first);
  return isolate(line, is_symbol);
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

}  // namespace

std::vector<std::string> tokenize(std::string_view line, Tokenization tokenization) {
  std::u32string code_points = text::decode_utf8(line);
  while (!code_points.empty() && is_space(code_points.back())) code_points.pop_back();  // intl sees the difference
  switch (tokenization) {
    case Tokenization::v13a: return split(mark_13a(text::encode_utf8(code_points)));
    case Tokenization::none: break;
    case Tokenization::chars: return split(isolate(code_points, [](char32_t) { return true; }));
    case Tokenization::intl: return split(mark_intl(std::move(code_points)));
  }
  return split(code_points);
}

std::string_view name(Tokenization tokenization) {
  for (const auto& [value, name] : names)
    if (value == tokenization) return name;
  fail<ValueError>("tokenize", "there is no tokenizer {}", static_cast<int>(tokenization));
}

Tokenization parse_tokenization(std::string_view name) {
  for (const auto& [value, known] : names)
    if (name == known) return value;
  fail<ValueError>("tokenize", "there is no tokenizer \"{}\"; choose 13a, none, char or intl", name);
}

}  // namespace weft::metrics
