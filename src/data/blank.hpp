#pragma once
#include <string_view>

namespace weft::data {

/// Nothing, or ASCII white space alone.
inline bool is_blank(std::string_view line) { return line.find_first_not_of(" \t\r\v\f") == std::string_view::npos; }

}  // namespace weft::data
