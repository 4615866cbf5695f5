#pragma once
#include <string>
#include <string_view>
#include <vector>

namespace weft::metrics {

/// How a line is cut into words before they are counted, as sacreBLEU's tokenizers of these names.
enum class Tokenization {
  v13a,   // "13a": mteval-v13a.pl, for text in Western languages as people write it
  none,   // at white space: text that is tokenized already
  chars,  // "char": each character but white space
  intl    // mteval-v14.pl's international one: at punctuation and symbols of any script
};

/// Words of a UTF-8 line. FormatError if it is not UTF-8.
std::vector<std::string> tokenize(std::string_view line, Tokenization tokenization);

/// sacreBLEU's name, as in a signature, and back; ValueError for a name it doesn't know.
std::string_view name(Tokenization tokenization);
Tokenization parse_tokenization(std::string_view name);

}  // namespace weft::metrics
