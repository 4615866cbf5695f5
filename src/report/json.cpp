#include "report/json.hpp"

#include <fmt/format.h>

#include <cmath>
#include <iterator>
#include <nlohmann/json.hpp>

namespace weft::report {
namespace {

/// The same text in valid UTF-8.
nlohmann::json valid(std::string_view text) {
  const auto replace = nlohmann::json::error_handler_t::replace;
  return nlohmann::json::parse(nlohmann::json(std::string(text)).dump(-1, ' ', false, replace));
}

/// The number of bytes of the character XML can't hold at `at`; 0 where it can.
std::size_t bad_character(std::string_view text, std::size_t at) {
  const auto byte = static_cast<unsigned char>(text[at]);
  if (byte < 0x20 && byte != '\t' && byte != '\n' && byte != '\r') return 1;
  const std::string_view three = text.substr(at, 3);
  return three == "\uFFFE" || three == "\uFFFF" ? 3 : 0;
}

}  // namespace

std::string json_string(std::string_view text) {
  std::string result;
  for (const char c : valid(text).dump()) {
    // No end of a script element, and nothing that XML would read as markup.
    if (c == '<' || c == '>' || c == '&') {
      fmt::format_to(std::back_inserter(result), "\\u{:04x}", static_cast<int>(c));
    } else {
      result += c;
    }
  }
  for (std::size_t at = 0; at + 2 < result.size(); ++at) {
    const std::string_view three = std::string_view(result).substr(at, 3);
    if (three == "\uFFFE" || three == "\uFFFF") result.replace(at, 3, "\uFFFD");
  }
  return result;
}

std::string json_array(const std::vector<std::string>& texts) {
  std::string result = "[";
  for (const auto& text : texts) result += (result.size() > 1 ? "," : "") + json_string(text);
  return result + "]";
}

std::string json_array(std::span<const double> numbers, int digits) {
  std::string result = "[";
  for (const double number : numbers) {
    if (result.size() > 1) result += ',';
    if (std::isfinite(number)) {
      fmt::format_to(std::back_inserter(result), "{:.{}g}", number, digits);
    } else {
      result += "null";
    }
  }
  return result + "]";
}

std::string json_bytes(std::span<const std::uint8_t> bytes) {
  constexpr std::string_view letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string result = "\"";
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    const std::size_t left = bytes.size() - i;
    const auto byte = [&](std::size_t k) { return k < left ? static_cast<std::uint32_t>(bytes[i + k]) : 0U; };
    const std::uint32_t group = byte(0) << 16U | byte(1) << 8U | byte(2);
    for (unsigned k = 0; k < 4; ++k) result += k <= left ? letters[group >> (18U - 6U * k) & 63U] : '=';
  }
  return result + "\"";
}

std::string escaped(std::string_view text) {
  const std::string utf8 = valid(text).get<std::string>();
  std::string result;
  for (std::size_t at = 0; at < utf8.size(); ++at) {
    if (const std::size_t bad = bad_character(utf8, at); bad > 0) {
      result += "\uFFFD";
      at += bad - 1;
      continue;
    }
    switch (utf8[at]) {
      case '&': result += "&amp;"; break;
      case '<': result += "&lt;"; break;
      case '>': result += "&gt;"; break;
      case '"': result += "&quot;"; break;
      case '\'': result += "&#39;"; break;
      default: result += utf8[at];
    }
  }
  return result;
}

}  // namespace weft::report
