#include "weft/text/vocabulary.hpp"

#include <tuple>

#include "base/fail.hpp"

namespace weft::text {

void Vocabulary::require_special_pieces(std::string_view source) const {
  constexpr Vocabulary needed;
  constexpr auto advice = "train the model with spm_train --pad_id=0 --unk_id=1 --bos_id=2 --eos_id=3";
  for (const auto& [name, id, place] :
       {std::tuple("pad", pad, needed.pad), {"unk", unk, needed.unk}, {"bos", bos, needed.bos}, {"eos", eos, needed.eos}}) {
    check<FormatError>(id >= 0, "vocabulary", "{} has no {} piece; {}", source, name, advice);
    check<FormatError>(id == place, "vocabulary", "{}: the {} piece is {} where {} is needed; {}", source, name, id, place,
                       advice);
    check<FormatError>(id < size, "vocabulary", "{}: the {} piece is {}, outside the {} pieces", source, name, id, size);
  }
}

std::string Vocabulary::str() const {
  return fmt::format("{} pieces, pad {}, unk {}, bos {}, eos {}", size, pad, unk, bos, eos);
}

}  // namespace weft::text
