#pragma once
#include <string>
#include <string_view>

namespace weft::text {

/// A line's words with a space between, as a vocabulary of words wants them: runs of letters, digits and _, and each other
/// character but white space by itself ("u . s .", "15 . 75", "< ibm >"), as Python's regular expression \w+|[^\w\s] finds them
/// in ASCII. What isn't ASCII counts as a letter. FormatError with the byte offset if `line` is not UTF-8.
std::string words(std::string_view line);

}  // namespace weft::text
