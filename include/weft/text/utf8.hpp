#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace weft::text {

/// Byte offset of the first sequence that is not UTF-8: a stray or missing continuation byte, an overlong form, a surrogate,
/// a code point above U+10FFFF. Nothing if all of `bytes` is UTF-8.
std::optional<std::int64_t> find_invalid_utf8(std::string_view bytes);

/// Code points of UTF-8 text. FormatError with the byte offset if it is not UTF-8.
std::u32string decode_utf8(std::string_view bytes);

/// UTF-8 of code points. ValueError for a surrogate or a number above U+10FFFF.
std::string encode_utf8(std::u32string_view code_points);

}  // namespace weft::text
