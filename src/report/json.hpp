#pragma once
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace weft::report {

/// A string as JSON that may stand in an HTML script element; invalid UTF-8 becomes U+FFFD.
std::string json_string(std::string_view text);

/// Arrays of strings, and of numbers to so many digits with null for what isn't finite.
std::string json_array(const std::vector<std::string>& texts);
std::string json_array(std::span<const double> numbers, int digits = 4);

/// Bytes as base64, a JSON string.
std::string json_bytes(std::span<const std::uint8_t> bytes);

/// Text as HTML and XML can hold it: `&<>"'` escaped, invalid UTF-8 and control characters as U+FFFD.
std::string escaped(std::string_view text);

}  // namespace weft::report
