#include "weft/text/symbols.hpp"

#include <doctest/doctest.h>

#include "weft/base/error.hpp"

using namespace weft;
using text::Symbols;
using text::SymbolUnit;

TEST_CASE("characters are code points, the most frequent first") {
  const Symbols symbols = Symbols::of("bäaäb ä\n", SymbolUnit::characters);
  CHECK(symbols.size() == 6);  // unknown, ä, b, "\n", " ", a
  CHECK(symbols.name(0) == "<unk>");
  CHECK(symbols.name(1) == "ä");
  CHECK(symbols.name(2) == "b");
  CHECK(symbols.name(3) == "\n");
  CHECK(symbols.encode("äz\n") == std::vector<std::int32_t>{1, 0, 3});
  const std::vector<std::int32_t> ids = symbols.encode("bä a");
  CHECK(symbols.decode(ids) == "bä a");
}

TEST_CASE("words are parted by white space, and the end of a line is one") {
  const std::string text = "the cat\tsat\r\non  the mat\n";
  const Symbols symbols = Symbols::of(text, SymbolUnit::words);
  CHECK(symbols.size() == 7);  // unknown, "\n", the, cat, mat, on, sat
  CHECK(symbols.encode("the dog\n") == std::vector<std::int32_t>{2, 0, 1});
  const std::vector<std::int32_t> ids = symbols.encode(text);
  CHECK(symbols.decode(ids) == "the cat sat\non the mat\n");
  CHECK(symbols.decode(std::vector<std::int32_t>{}).empty());
}

TEST_CASE("a vocabulary is cut to the most frequent symbols") {
  const Symbols symbols = Symbols::of("a a a b b c", SymbolUnit::words, 3);
  CHECK(symbols.size() == 3);
  CHECK(symbols.encode("a b c") == std::vector<std::int32_t>{1, 2, 0});
}

TEST_CASE("rare symbols stay unknown") {
  const std::string text = "a a a b b c";
  CHECK(Symbols::of(text, SymbolUnit::words, 0, 2).encode("c b a") == std::vector<std::int32_t>{0, 2, 1});
  CHECK(Symbols::of(text, SymbolUnit::words, 2, 2).encode("c b a") == std::vector<std::int32_t>{0, 0, 1});
  CHECK(Symbols::of(text, SymbolUnit::words, 0, 4).size() == 1);
  CHECK_THROWS_WITH_AS(Symbols::of(text, SymbolUnit::words, 0, 0), "[Symbols] least is 0; a symbol occurs once at least",
                       ValueError);
}

TEST_CASE("symbols go through JSON") {
  for (const SymbolUnit unit : {SymbolUnit::characters, SymbolUnit::words}) {
    const Symbols symbols = Symbols::of("a \"quote\" ü\n\n", unit);
    const Symbols back = Symbols::from_json(symbols.to_json(), "test");
    CHECK(back.size() == symbols.size());
    CHECK(back.unit() == unit);
    for (std::int32_t id = 0; id < symbols.size(); ++id) CHECK(back.name(id) == symbols.name(id));
    CHECK(back.encode("ü\n") == symbols.encode("ü\n"));
  }
}

TEST_CASE("bad texts and bad JSON are errors that say so") {
  CHECK_THROWS_WITH_AS(Symbols::of("ab\xFF", SymbolUnit::words), "[Symbols] byte 2 of the text is not UTF-8", FormatError);
  CHECK_THROWS_AS(Symbols::of("", SymbolUnit::characters), ValueError);
  CHECK_THROWS_AS(Symbols::of(" \t", SymbolUnit::words), ValueError);
  CHECK_THROWS_AS(Symbols::of("a", SymbolUnit::words, 1), ValueError);
  const Symbols symbols = Symbols::of("a", SymbolUnit::words);
  CHECK_THROWS_AS(symbols.encode("\xC3"), FormatError);
  CHECK_THROWS_AS(symbols.name(2), IndexError);
  CHECK_THROWS_AS(symbols.name(-1), IndexError);
  for (const char* json : {"", "{}", R"({"unit": "words"})", R"({"unit": "bytes", "symbols": []})",
                           R"({"unit": "words", "symbols": ["a", "a"]})", R"({"unit": "words", "symbols": [1]})"})
    CHECK_THROWS_AS(Symbols::from_json(json, "file"), FormatError);
}
