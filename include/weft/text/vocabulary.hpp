#pragma once
#include <cstdint>
#include <string>
#include <string_view>

namespace weft::text {

/// How many pieces a vocabulary has, and the ids of its special ones; -1 for one that it doesn't have.
struct Vocabulary {
  std::int64_t size = 0;
  std::int32_t pad = 0;
  std::int32_t unk = 1;
  std::int32_t bos = 2;
  std::int32_t eos = 3;

  bool operator==(const Vocabulary&) const = default;

  /// FormatError naming `source` unless the four special pieces have the ids above, as in models that weft trains:
  /// what a translation model needs.
  void require_special_pieces(std::string_view source) const;

  /// "8000 pieces, pad 0, unk 1, bos 2, eos 3".
  std::string str() const;
};

}  // namespace weft::text
