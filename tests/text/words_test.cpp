#include "weft/text/words.hpp"

#include <doctest/doctest.h>

#include "weft/base/error.hpp"

using namespace weft;
using text::words;

TEST_CASE("words are runs of letters and digits, and each other character") {
  CHECK(words("The bank, which (it says) rose.") == "The bank , which ( it says ) rose .");
  CHECK(words("moody's 1986/87 4,790 three-for-two u.s.") == "moody ' s 1986 / 87 4 , 790 three - for - two u . s .");
  CHECK(words("oil<srd> -- a_b") == "oil < srd > - - a_b");
  CHECK(words(" a\t b\r\n") == "a b");
  CHECK(words("").empty());
  CHECK(words(" \t").empty());
}

TEST_CASE("what isn't ASCII belongs to words") {
  CHECK(words("häuser, é.") == "häuser , é .");
  CHECK_THROWS_WITH_AS(words("ab\xFF"), "[words] byte 2 of the text is not UTF-8", FormatError);
}

TEST_CASE("words of words are the same words") {
  for (const char* line : {"the u.s. said u.k., too.", "intergroup<nii>, <x>s", "\"so!\" (d-cal.) -- end..."})
    CHECK(words(words(line)) == words(line));
}
