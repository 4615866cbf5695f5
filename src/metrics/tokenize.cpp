#include "weft/metrics/tokenize.hpp"

#include <unicode/uchar.h>

#include <array>
#include <boost/algorithm/string/replace.hpp>
#include <utility>

#include "base/fail.hpp"
#include "metrics/marks.hpp"
#include "weft/text/utf8.hpp"

namespace weft::metrics {
namespace {

constexpr std::array<std::pair<Tokenization, const char*>, 4> names{
    {{Tokenization::v13a, "13a"}, {Tokenization::none, "none"}, {Tokenization::chars, "char"}, {Tokenization::intl, "intl"}}};

bool in_categories(char32_t c, std::uint32_t mask) { return (U_GET_GC_MASK(static_cast<UChar32>(c)) & mask) != 0; }
bool is_not_number(char32_t c) { return !in_categories(c, U_GC_N_MASK); }
bool is_punctuation(char32_t c) { return in_categories(c, U_GC_P_MASK); }
bool is_symbol(char32_t c) { return in_categories(c, U_GC_S_MASK); }

std::u32string mark_13a(std::string_view utf8) {
  std::string line(utf8);
  for (const auto& [from, to] :
       {std::pair("<skipped>", ""), {"-\n", ""}, {"\n", " "}, {"&quot;", "\""}, {"&amp;", "&"}, {"&lt;", "<"}, {"&gt;", ">"}})
    boost::replace_all(line, from, to);
  return mark_stops_and_dashes(isolate(text::decode_utf8(" " + line + " "), is_separate));
}

std::u32string mark_intl(std::u32string line) {
  line = isolate_in_pairs(line, is_not_number, is_punctuation, Member::second);
  line = isolate_in_pairs(line, is_punctuation, is_not_number, Member::first);
  return isolate(line, is_symbol);
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
