#pragma once
#include <string>
#include <string_view>
#include <vector>

namespace weft::data::grammar {

using Words = std::vector<std::string>;

/// Adds a word; nothing for "".
inline void add(Words& words, std::string_view word) {
  if (!word.empty()) words.emplace_back(word);
}

inline void add_all(Words& words, const Words& more) { words.insert(words.end(), more.begin(), more.end()); }

/// The words with spaces between, none after an apostrophe, the first letter (ASCII) in upper case, and the mark.
inline std::string finish(const Words& words, std::string_view mark) {
  std::string text;
  for (const std::string& word : words) {
    if (!text.empty() && text.back() != '\'') text += ' ';
    text += word;
  }
  if (!text.empty() && text[0] >= 'a' && text[0] <= 'z') text[0] = static_cast<char>(text[0] - 'a' + 'A');
  return text.append(mark);
}

}  // namespace weft::data::grammar
