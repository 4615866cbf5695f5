#pragma once
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace weft::text {

enum class SymbolUnit : std::uint8_t {
  characters,  ///< code points
  words        ///< what ASCII's white space separates; the end of a line is a word too, "\n"
};

/// The different characters or words of a text, by number: what a language model reads and writes. 0 stands for what isn't
/// among them.
class Symbols {
 public:
  /// Those of `text`, the most frequent first, equally frequent ones by their code points; no more than `most` with the unknown
  /// one, where that isn't 0, and none that occurs less than `least` times. Throws FormatError with the byte offset for what
  /// isn't UTF-8, ValueError for a text without any.
  static Symbols of(std::string_view text, SymbolUnit unit, std::int64_t most = 0, std::int64_t least = 1);

  std::int64_t size() const { return static_cast<std::int64_t>(names_.size()); }
  SymbolUnit unit() const { return unit_; }
  const std::string& name(std::int32_t id) const;  ///< "<unk>" for 0; throws IndexError

  /// Throws FormatError with the byte offset for what isn't UTF-8.
  std::vector<std::int32_t> encode(std::string_view text) const;
  /// Words with a space between them, but none around the end of a line.
  std::string decode(std::span<const std::int32_t> ids) const;

  /// For a checkpoint's metadata, and back; `source` stands for it in a FormatError.
  std::string to_json() const;
  static Symbols from_json(const std::string& json, const std::string& source);

 private:
  Symbols(SymbolUnit unit, std::vector<std::string> names);

  SymbolUnit unit_;
  std::vector<std::string> names_;  // by id
  std::unordered_map<std::string, std::int32_t> ids_;
};

}  // namespace weft::text
