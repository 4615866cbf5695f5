#pragma once
#include <string>
#include <string_view>

namespace weft::text {

/// UTF-8 text in lower case by Unicode's full mapping without a language's own rules, as Python's str.lower: a final sigma is
/// ς, İ becomes i and a dot. FormatError if `text` is not UTF-8.
std::string lower(std::string_view text);

}  // namespace weft::text
