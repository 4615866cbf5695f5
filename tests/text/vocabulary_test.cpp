#include "weft/text/vocabulary.hpp"

#include <doctest/doctest.h>

#include "weft/base/error.hpp"

using namespace weft;
using weft::text::Vocabulary;

TEST_CASE("a vocabulary says what it has") {
  CHECK(Vocabulary{.size = 8000}.str() == "8000 pieces, pad 0, unk 1, bos 2, eos 3");
  CHECK(Vocabulary{.size = 5} != Vocabulary{.size = 6});
  CHECK_NOTHROW(Vocabulary{.size = 5}.require_special_pieces("x.model"));
}

TEST_CASE("special pieces that are missing, elsewhere or outside are refused by name") {
  CHECK_THROWS_WITH_AS((Vocabulary{.size = 9, .pad = -1}.require_special_pieces("x.model")),
                       "[vocabulary] x.model has no pad piece; train the model with spm_train --pad_id=0 --unk_id=1 --bos_id=2 "
                       "--eos_id=3",
                       FormatError);
  CHECK_THROWS_WITH_AS((Vocabulary{.size = 9, .unk = 0}.require_special_pieces("x.model")),
                       "[vocabulary] x.model: the unk piece is 0 where 1 is needed; train the model with spm_train --pad_id=0 "
                       "--unk_id=1 --bos_id=2 --eos_id=3",
                       FormatError);
  CHECK_THROWS_WITH_AS((Vocabulary{.size = 9, .bos = 3, .eos = 2}.require_special_pieces("x.model")),
                       doctest::Contains("the bos piece is 3 where 2 is needed"), FormatError);
  CHECK_THROWS_WITH_AS((Vocabulary{.size = 9, .eos = 8}.require_special_pieces("x.model")),
                       doctest::Contains("the eos piece is 8 where 3 is needed"), FormatError);
  CHECK_THROWS_WITH_AS((Vocabulary{.size = 3}.require_special_pieces("x.model")),
                       "[vocabulary] x.model: the eos piece is 3, outside the 3 pieces", FormatError);
}
