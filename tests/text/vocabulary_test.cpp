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

TEST_CASE("special pieces that are missing, outside or the same are refused by name") {
  CHECK_THROWS_WITH_AS((Vocabulary{.size = 9, .pad = -1}.require_special_pieces("x.model")),
                       "[vocabulary] x.model has no pad piece; train the model with one (spm_train --pad_id=N)", FormatError);
  CHECK_THROWS_WITH_AS((Vocabulary{.size = 3}.require_special_pieces("x.model")),
                       "[vocabulary] x.model: the eos piece is 3, outside the 3 pieces", FormatError);
  CHECK_THROWS_WITH_AS((Vocabulary{.size = 9, .pad = 3}.require_special_pieces("x.model")),
                       "[vocabulary] x.model: pad and eos are the same piece, 3", FormatError);
}
