#pragma once
#include <string>
#include <string_view>
#include <vector>

namespace weft::metrics {

/// Python's str.isspace.
bool is_space(char32_t c);

/// ASCII punctuation that is always a word of its own in Western text: all but ' , - .
bool is_separate(char32_t c);

/// s/([what])/ \1 /g
std::u32string isolate(const std::u32string& line, bool (*what)(char32_t));

enum class Member { first, second };

/// s/([first])([second])/\1 \2 /g or, to isolate the first, s/([first])([second])/ \1 \2/g: pairs don't overlap.
std::u32string isolate_in_pairs(const std::u32string& line, bool (*first)(char32_t), bool (*second)(char32_t), Member isolated);

/// Full stops and commas but those between digits, and dashes after digits, as mteval-v13a.pl and Tercom isolate them.
std::u32string mark_stops_and_dashes(std::u32string line);

/// UTF-8 of the stretches between white space.
std::vector<std::string> split(std::u32string_view line);

}  // namespace weft::metrics
