#include "text/shortened.hpp"

#include <doctest/doctest.h>

using weft::text::shortened;

TEST_CASE("a text is cut between characters") {
  CHECK(shortened("abc", 3) == "abc");
  CHECK(shortened("abcd", 3) == "abc...");
  CHECK(shortened("ab\u00e9", 3) == "ab...");
  CHECK(shortened("ab\u00e9x", 4) == "ab\u00e9...");
  CHECK(shortened("\u20ac", 2) == "...");
  CHECK(shortened("", 0).empty());
}
