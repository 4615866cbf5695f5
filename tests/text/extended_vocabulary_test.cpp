#include "weft/text/extended_vocabulary.hpp"

#include <doctest/doctest.h>

#include "weft/base/error.hpp"

using namespace weft;
using text::ExtendedVocabulary;
using Ids = std::vector<std::int32_t>;

namespace {

// a, b, c from 4 to 6
ExtendedVocabulary three_words() { return ExtendedVocabulary::of(std::vector<std::string>{"a b  a", "b\ta c"}); }

}  // namespace

TEST_CASE("the most frequent words follow the special ones") {
  const ExtendedVocabulary vocabulary = three_words();
  CHECK(vocabulary.size() == 7);
  CHECK(vocabulary.encode("c a b") == Ids{6, 4, 5});
  CHECK(vocabulary.word(1) == "<unk>");
  CHECK(vocabulary.word(4) == "a");
  const auto cut = ExtendedVocabulary::of(std::vector<std::string>{"a b a b c"}, 6);
  CHECK(cut.size() == 6);
  CHECK(cut.encode("a b c") == Ids{4, 5, 1});
}

TEST_CASE("a source numbers the words that the vocabulary lacks, its targets find them") {
  const ExtendedVocabulary vocabulary = three_words();
  const auto source = vocabulary.encode_source("nyx a dlr nyx  b dlr xen");
  CHECK(source.ids == Ids{7, 4, 8, 7, 5, 8, 9});
  CHECK(source.further == text::FurtherWords{"nyx", "dlr", "xen"});
  CHECK(vocabulary.decode(source.ids, source.further) == "nyx a dlr nyx b dlr xen");
  CHECK(vocabulary.encode("xen c yak nyx", source.further) == Ids{9, 6, 1, 7});
  CHECK(vocabulary.decode(Ids{2, 9, 6, 1, 7, 3, 0}, source.further) == "xen c <unk> nyx");
  CHECK(vocabulary.encode("xen c", {}) == Ids{1, 6});
  // Another source, other words.
  CHECK(vocabulary.encode_source("xen xen").ids == Ids{7, 7});
  CHECK(vocabulary.encode_source(" \t").ids.empty());
}

TEST_CASE("words beyond the first ones of a source have no ids") {
  const auto source = three_words().encode_source("x a y z", 3);
  CHECK(source.ids == Ids{7, 4, 8});
  CHECK(source.further == text::FurtherWords{"x", "y"});
}

TEST_CASE("an extended vocabulary goes through JSON") {
  const ExtendedVocabulary vocabulary = three_words();
  const auto back = ExtendedVocabulary::from_json(vocabulary.to_json(), "test");
  CHECK(back.size() == vocabulary.size());
  CHECK(back.encode("a b c d") == vocabulary.encode("a b c d"));
  const std::string characters = text::Symbols::of("ab", text::SymbolUnit::characters).to_json();
  CHECK_THROWS_WITH_AS(ExtendedVocabulary::from_json(characters, "file"),
                       "[ExtendedVocabulary] file: its symbols are characters, not words", FormatError);
  CHECK_THROWS_AS(ExtendedVocabulary::from_json("{", "file"), FormatError);
}

TEST_CASE("what a vocabulary of words refuses") {
  const std::vector<std::string> blank = {"", " "}, broken = {"a", "b\xC3"}, good = {"a"};
  CHECK_THROWS_WITH_AS(ExtendedVocabulary::of(blank), "[ExtendedVocabulary] 2 lines have no words", ValueError);
  CHECK_THROWS_WITH_AS(ExtendedVocabulary::of(broken), "[ExtendedVocabulary] byte 1 of line 2 is not UTF-8", FormatError);
  CHECK_THROWS_WITH_AS(ExtendedVocabulary::of(good, 4), "[ExtendedVocabulary] most is 4; it must be 0 (all) or at least 5",
                       ValueError);
  const ExtendedVocabulary vocabulary = three_words();
  CHECK_THROWS_WITH_AS(vocabulary.word(8, text::FurtherWords{"x"}),
                       "[ExtendedVocabulary] id 8 is outside 0..7, the 7 of the vocabulary and 1 further ones", IndexError);
  CHECK_THROWS_AS(vocabulary.decode(Ids{-1}), IndexError);
  CHECK_THROWS_AS(vocabulary.encode("\xFF"), FormatError);
  CHECK_THROWS_AS(vocabulary.encode_source("a", -1), ValueError);
}
