#include "weft/text/lower.hpp"

#include <doctest/doctest.h>

#include "weft/base/error.hpp"

using namespace weft;
using weft::text::lower;

TEST_CASE("lower-casing is Python's str.lower") {
  CHECK(lower("") == "");
  CHECK(lower("Hello, WORLD 42") == "hello, world 42");
  CHECK(lower("Der GRÖẞTE Ärger, STRASSE und Straße") == "der größte ärger, strasse und straße");
  CHECK(lower("ŒUVRE ÇA ÉTÉ") == "œuvre ça été");
  CHECK(lower("İI") == "i̇i");  // i and a combining dot; no Turkish rule
  CHECK(lower("ЁЖ Ǆ Ⅷ Ａ 𐐀") == "ёж ǆ ⅷ ａ 𐐨");
}

TEST_CASE("a sigma at the end of a word is final") {
  CHECK(lower("ΟΔΥΣΣΕΥΣ") == "οδυσσευς");
  CHECK(lower("ΑΣ. ΑΣ' ΑΣΑ") == "ας. ας' ασα");
  CHECK(lower("Σ") == "σ");
  CHECK(lower("ΑΣ.Α") == "ασ.α");  // a full stop doesn't end the word: it is case-ignorable
}

TEST_CASE("lower-casing refuses what is not UTF-8") {
  CHECK_THROWS_WITH_AS(lower("ab\xFF"), "[lower] the text is not UTF-8 at byte 2", FormatError);
}
