#include "weft/text/utf8.hpp"

#include "base/fail.hpp"

namespace weft::text {
namespace {

constexpr std::uint32_t last_code_point = 0x10FFFF;

bool is_surrogate(std::uint32_t code_point) { return code_point >= 0xD800 && code_point <= 0xDFFF; }

/// Bytes in the sequence that `lead` begins; 0 if no sequence begins so.
std::size_t sequence_length(std::uint8_t lead) {
  if (lead < 0x80) return 1;
  if (lead < 0xC2) return 0;
  if (lead < 0xE0) return 2;
  if (lead < 0xF0) return 3;
  return lead < 0xF5 ? 4 : 0;
}

/// Calls `visit` with each code point; the offset of the first sequence that is not UTF-8 if there is one.
template <class Visit>
std::optional<std::int64_t> scan(std::string_view bytes, Visit visit) {
  constexpr std::uint32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};  // below it the form is overlong
  for (std::size_t at = 0; at < bytes.size();) {
    const auto lead = static_cast<std::uint8_t>(bytes[at]);
    const std::size_t length = sequence_length(lead);
    bool valid = length > 0 && at + length <= bytes.size();
    std::uint32_t code_point = length < 2 ? lead : lead & (0xFFU >> (length + 1));
    for (std::size_t i = 1; valid && i < length; ++i) {
      const auto byte = static_cast<std::uint8_t>(bytes[at + i]);
      valid = (byte & 0xC0) == 0x80;
      code_point = code_point << 6 | (byte & 0x3F);
    }
    if (!valid || code_point < smallest[length] || code_point > last_code_point || is_surrogate(code_point))
      return static_cast<std::int64_t>(at);
    visit(static_cast<char32_t>(code_point));
    at += length;
  }
  return std::nullopt;
}

}  // namespace

std::optional<std::int64_t> find_invalid_utf8(std::string_view bytes) {
  return scan(bytes, [](char32_t) {});
}

std::u32string decode_utf8(std::string_view bytes) {
  std::u32string code_points;
  code_points.reserve(bytes.size());
  const auto invalid = scan(bytes, [&](char32_t code_point) { code_points.push_back(code_point); });
  if (invalid) fail<FormatError>("decode_utf8", "the text is not UTF-8 at byte {}", *invalid);
  return code_points;
}

std::string encode_utf8(std::u32string_view code_points) {
  std::string bytes;
  bytes.reserve(code_points.size());
  const auto put = [&](std::uint32_t byte) { bytes.push_back(static_cast<char>(byte)); };
  for (const std::uint32_t code_point : code_points) {
    check<ValueError>(code_point <= last_code_point && !is_surrogate(code_point), "encode_utf8", "U+{:04X} is not a character",
                      code_point);
    if (code_point < 0x80) {
      put(code_point);
      continue;
    }
    if (code_point < 0x800) {
      put(0xC0 | code_point >> 6);
    } else if (code_point < 0x10000) {
      put(0xE0 | code_point >> 12);
      put(0x80 | (code_point >> 6 & 0x3F));
    } else {
      put(0xF0 | code_point >> 18);
      put(0x80 | (code_point >> 12 & 0x3F));
      put(0x80 | (code_point >> 6 & 0x3F));
    }
    put(0x80 | (code_point & 0x3F));
  }
  return bytes;
}

}  // namespace weft::text
