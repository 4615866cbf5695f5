#include "weft/text/vocabulary.hpp"

#include <array>
#include <utility>

#include "base/fail.hpp"

namespace weft::text {

void Vocabulary::require_special_pieces(std::string_view source) const {
  const std::array<std::pair<const char*, std::int32_t>, 4> special{{{"pad", pad}, {"unk", unk}, {"bos", bos}, {"eos", eos}}};
  for (std::size_t i = 0; i < special.size(); ++i) {
    const auto [name, id] = special[i];
    check<FormatError>(id >= 0, "vocabulary", "{} has no {} piece; train the model with one (spm_train --{}_id=N)", source,
                       name, name);
    check<FormatError>(id < size, "vocabulary", "{}: the {} piece is {}, outside the {} pieces", source, name, id, size);
    for (std::size_t j = 0; j < i; ++j)
      check<FormatError>(id != special[j].second, "vocabulary", "{}: {} and {} are the same piece, {}", source,
                         special[j].first, name, id);
  }
}

std::string Vocabulary::str() const {
  return fmt::format("{} pieces, pad {}, unk {}, bos {}, eos {}", size, pad, unk, bos, eos);
}

}  // namespace weft::text
