#include "weft/text/lower.hpp"

#include <unicode/bytestream.h>
#include <unicode/casemap.h>

#include "base/fail.hpp"
#include "weft/text/utf8.hpp"

namespace weft::text {

std::string lower(std::string_view text) {
  if (const auto invalid = find_invalid_utf8(text)) fail<FormatError>("lower", "the text is not UTF-8 at byte {}", *invalid);
  std::string result;
  icu::StringByteSink<std::string> sink(&result);
  UErrorCode status = U_ZERO_ERROR;
  icu::CaseMap::utf8ToLower("", 0, text, sink, nullptr, status);
  if (U_FAILURE(status)) throw LibraryError(fmt::format("[lower] ICU failed: {}", u_errorName(status)), status);
  return result;
}

}  // namespace weft::text
