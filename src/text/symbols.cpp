#include "weft/text/symbols.hpp"

#include <algorithm>
#include <iterator>
#include <nlohmann/json.hpp>

#include "base/fail.hpp"
#include "text/split.hpp"

namespace weft::text {
namespace {

constexpr const char* where = "Symbols";
constexpr const char* unknown = "<unk>";

// Calls take(symbol) for each of a text that is UTF-8.
template <class Take>
void for_each_symbol(std::string_view text, SymbolUnit unit, const Take& take) {
  if (unit == SymbolUnit::characters) {
    for (std::size_t i = 0, end = 0; i < text.size(); i = end) {
      for (end = i + 1; end < text.size() && (text[end] & 0xC0) == 0x80;) ++end;  // its continuation bytes
      take(text.substr(i, end - i));
    }
    return;
  }
  for (std::size_t i = 0, end = 0; i < text.size(); i = end + 1) {
    end = std::min(text.find('\n', i), text.size());
    for_each_word(text.substr(i, end - i), take);
    if (end < text.size()) take(text.substr(end, 1));
  }
}

}  // namespace

Symbols::Symbols(SymbolUnit unit, std::vector<std::string> names) : unit_(unit), names_(std::move(names)) {
  for (std::size_t i = 1; i < names_.size(); ++i) ids_.emplace(names_[i], static_cast<std::int32_t>(i));
}

Symbols Symbols::of(std::string_view text, SymbolUnit unit, std::int64_t most, std::int64_t least) {
  check<ValueError>(most == 0 || most >= 2, where, "most is {}; it must be 0 (all) or at least 2", most);
  check<ValueError>(least >= 1, where, "least is {}; a symbol occurs once at least", least);
  check_utf8(where, text);
  std::unordered_map<std::string, std::int64_t> counts;
  for_each_symbol(text, unit, [&](std::string_view symbol) { ++counts[std::string(symbol)]; });
  check<ValueError>(!counts.empty(), where, "the text has no symbols");
  std::vector<std::pair<std::string, std::int64_t>> sorted;
  std::copy_if(counts.begin(), counts.end(), std::back_inserter(sorted),
               [&](const auto& each) { return each.second >= least; });
  std::sort(sorted.begin(), sorted.end(),
            [](const auto& a, const auto& b) { return a.second != b.second ? a.second > b.second : a.first < b.first; });
  if (most > 0) sorted.resize(std::min(sorted.size(), static_cast<std::size_t>(most - 1)));
  std::vector<std::string> names = {unknown};
  for (auto& [symbol, count] : sorted) names.push_back(std::move(symbol));
  return {unit, std::move(names)};
}

const std::string& Symbols::name(std::int32_t id) const {
  check<IndexError>(id >= 0 && id < size(), where, "symbol {} is outside 0..{}", id, size() - 1);
  return names_[static_cast<std::size_t>(id)];
}

std::vector<std::int32_t> Symbols::encode(std::string_view text) const {
  check_utf8(where, text);
  std::vector<std::int32_t> ids;
  std::string key;
  for_each_symbol(text, unit_, [&](std::string_view symbol) {
    key.assign(symbol);
    const auto found = ids_.find(key);
    ids.push_back(found == ids_.end() ? 0 : found->second);
  });
  return ids;
}

std::string Symbols::decode(std::span<const std::int32_t> ids) const {
  std::string text;
  for (const std::int32_t id : ids) {
    const std::string& symbol = name(id);
    const bool apart = unit_ == SymbolUnit::words && !text.empty() && text.back() != '\n' && symbol != "\n";
    text += (apart ? " " : "") + symbol;
  }
  return text;
}

std::string Symbols::to_json() const {
  return nlohmann::ordered_json{{"unit", unit_ == SymbolUnit::words ? "words" : "characters"},
                                {"symbols", std::vector<std::string>(names_.begin() + 1, names_.end())}}
      .dump();
}

Symbols Symbols::from_json(const std::string& json, const std::string& source) {
  try {
    const auto parsed = nlohmann::json::parse(json);
    const std::string unit = parsed.at("unit");
    check<FormatError>(unit == "words" || unit == "characters", where, "{}: its symbols are {}, not characters or words",
                       source, unit);
    std::vector<std::string> names = {unknown};
    for (const auto& name : parsed.at("symbols")) names.push_back(name);
    Symbols result(unit == "words" ? SymbolUnit::words : SymbolUnit::characters, std::move(names));
    check<FormatError>(static_cast<std::int64_t>(result.ids_.size()) + 1 == result.size(), where, "{}: a symbol stands twice",
                       source);
    return result;
  } catch (const nlohmann::json::exception& error) {
    fail<FormatError>(where, "{}: its metadata hold no symbols ({})", source, error.what());
  }
}

}  // namespace weft::text
