#include "weft/text/utf8.hpp"

#include <doctest/doctest.h>

#include "weft/base/error.hpp"

using namespace weft;
using namespace weft::text;

TEST_CASE("valid UTF-8 is found valid and survives decoding and encoding") {
  for (const std::string line :
       {"", "plain", "Ärger, œuvre, façade", "日本語", "\U0001F600 \U0010FFFF", "\x7F\u0080\u07FF\u0800\uFFFF"}) {
    CHECK_FALSE(find_invalid_utf8(line));
    CHECK(encode_utf8(decode_utf8(line)) == line);
  }
  CHECK(decode_utf8("aß€\U0001F600") == U"aß€\U0001F600");
  const std::string with_nul("a\0b", 3);
  CHECK_FALSE(find_invalid_utf8(with_nul));
  CHECK(decode_utf8(with_nul).size() == 3);
}

TEST_CASE("the first invalid sequence is found by its byte offset") {
  const auto offset = [](std::string_view bytes) { return find_invalid_utf8(bytes).value_or(-1); };
  CHECK(offset("\x80") == 0);        // stray continuation
  CHECK(offset("ab\xFF") == 2);      // never a byte of UTF-8
  CHECK(offset("é\xC3") == 2);       // cut short at the end
  CHECK(offset("\xE2\x82 x") == 0);  // cut short by another character
  CHECK(offset("a\xC0\xAF") == 1);   // overlong in two, three and four bytes
  CHECK(offset("a\xC1\xBF") == 1);
  CHECK(offset("\xE0\x9F\xBF") == 0);
  CHECK(offset("\xF0\x8F\xBF\xBF") == 0);
  CHECK(offset("\xED\x9F\xBF") == -1);  // the last before the surrogates
  CHECK(offset("x\xED\xA0\x80") == 1);  // the first and the last surrogate
  CHECK(offset("x\xED\xBF\xBF") == 1);
  CHECK(offset("\xEE\x80\x80") == -1);
  CHECK(offset("\xF4\x90\x80\x80") == 0);  // above U+10FFFF
  CHECK(offset("\xF5\x80\x80\x80") == 0);
}

TEST_CASE("every code point encodes and decodes to itself") {
  for (char32_t code_point = 0; code_point <= 0x10FFFF; ++code_point) {
    if (code_point >= 0xD800 && code_point <= 0xDFFF) continue;
    const std::u32string one(1, code_point);
    if (decode_utf8(encode_utf8(one)) != one) FAIL_CHECK("U+" << static_cast<std::uint32_t>(code_point));
  }
}

TEST_CASE("what can't be decoded or encoded is refused") {
  CHECK_THROWS_WITH_AS(decode_utf8("ab\xC3("), "[decode_utf8] the text is not UTF-8 at byte 2", FormatError);
  CHECK_THROWS_WITH_AS(encode_utf8(std::u32string(1, char32_t{0xD800})), "[encode_utf8] U+D800 is not a character", ValueError);
  CHECK_THROWS_AS(encode_utf8(std::u32string(1, char32_t{0x110000})), ValueError);
}
