#pragma once
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "weft/text/symbols.hpp"

namespace weft::text {

/// Words of one source that its vocabulary lacks, each once: word i has the id size() + i, in this example alone.
using FurtherWords = std::vector<std::string>;

/// Words by id for models that copy (See et al. 2017): the most frequent ones of a text, beside pad 0, unk 1, bos 2 and eos 3
/// of text::Vocabulary, and for each example the others of its source. Words are what ASCII's white space parts (text::words).
class ExtendedVocabulary {
 public:
  /// Of the lines' words the most frequent, equally frequent ones by their code points; no more than `most` ids with the four
  /// special ones, where that isn't 0. Throws FormatError for a line that isn't UTF-8, ValueError for lines without words, most
  /// from 1 to 4.
  static ExtendedVocabulary of(std::span<const std::string> lines, std::int64_t most = 0);

  std::int64_t size() const { return symbols_.size() + special - 1; }

  struct Source {
    std::vector<std::int32_t> ids;  ///< of all words, extended ones too
    FurtherWords further;
  };
  /// Words that the vocabulary lacks get ids from size() on, in the order in which they first come, at most `max_words` (0:
  /// all) of the line. decode(ids, further) gives the line back, but for white space.
  Source encode_source(std::string_view line, std::int64_t max_words = 0) const;
  /// Of a text that belongs to a source: what neither the vocabulary nor `further` has is unk, 1.
  std::vector<std::int32_t> encode(std::string_view line, std::span<const std::string> further = {}) const;

  /// "<pad>", "<unk>", "<s>" and "</s>" for the special ones. Throws IndexError.
  const std::string& word(std::int32_t id, std::span<const std::string> further = {}) const;
  /// Words with a space between; pad, bos and eos give nothing, unk "<unk>". Throws IndexError.
  std::string decode(std::span<const std::int32_t> ids, std::span<const std::string> further = {}) const;

  /// For a checkpoint's metadata, and back; `source` stands for it in a FormatError.
  std::string to_json() const { return symbols_.to_json(); }
  static ExtendedVocabulary from_json(const std::string& json, const std::string& source);

 private:
  static constexpr std::int32_t special = 4;
  explicit ExtendedVocabulary(Symbols symbols) : symbols_(std::move(symbols)) {}
  /// unk where the vocabulary hasn't the word.
  std::int32_t id_of(std::string_view word) const;

  Symbols symbols_;  // 0, the unknown one, stands at 1 here; the others follow the special ones
};

}  // namespace weft::text
