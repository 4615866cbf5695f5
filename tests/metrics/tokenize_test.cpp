#include "weft/metrics/tokenize.hpp"

#include <doctest/doctest.h>

#include "weft/base/error.hpp"

using namespace weft;
using namespace weft::metrics;

namespace {

std::string joined(std::string_view line, Tokenization tokenization) {
  std::string result;
  for (const auto& word : tokenize(line, tokenization)) result += (result.empty() ? "" : " ") + word;
  return result;
}

}  // namespace

TEST_CASE("13a splits punctuation but keeps numbers, apostrophes and hyphens") {
  const auto cut = [](std::string_view line) { return joined(line, Tokenization::v13a); };
  CHECK(cut("") == "");
  CHECK(cut("Hello, world! (It's 50% off.)") == "Hello , world ! ( It's 50 % off . )");
  CHECK(cut("1,234.5 and 3.14. Then a.b,c") == "1,234.5 and 3.14 . Then a . b , c");
  CHECK(cut("well-known 5-6 x-1 10- -3") == "well-known 5 - 6 x-1 10 - -3");
  CHECK(cut("&quot;A &amp; B&quot; &lt;i&gt; &amp;lt;") == "\" A & B \" < i > <");
  CHECK(cut("a<skipped>b one-\ntwo\nthree") == "ab onetwo three");
  CHECK(cut("„Größe“ – 5 €… ¿qué?") == "„Größe“ – 5 €… ¿qué ?");
  CHECK(cut("...,,") == ". . . , ,");
  CHECK(cut("a\u00A0b\u3000c\u2028d") == "a b c d");
}

TEST_CASE("none splits at white space alone, char at every character") {
  CHECK(joined("  a, b\tc.\r\n", Tokenization::none) == "a, b c.");
  CHECK(joined("né 中!", Tokenization::chars) == "n é 中 !");
  CHECK(joined(" \t", Tokenization::chars) == "");
}

TEST_CASE("intl splits punctuation and symbols of any script") {
  const auto cut = [](std::string_view line) { return joined(line, Tokenization::intl); };
  CHECK(cut("„Größe“ – 5 €… ¿qué?") == "„ Größe “ – 5 € … ¿ qué ?");
  CHECK(cut("1,234.5 in 2012.") == "1,234.5 in 2012.");  // mteval's own error: the last full stop stays with a number
  CHECK(cut("1,234.5 in 2012. \n") == "1,234.5 in 2012.");
  CHECK(cut("a+b=c; 它很好。x") == "a + b = c ; 它很好 。 x");
}

TEST_CASE("tokenizers have sacreBLEU's names") {
  for (const auto* known : {"13a", "none", "char", "intl"}) CHECK(name(parse_tokenization(known)) == known);
  CHECK_THROWS_WITH_AS(parse_tokenization("zh"), "[tokenize] there is no tokenizer \"zh\"; choose 13a, none, char or intl",
                       ValueError);
  CHECK_THROWS_AS(tokenize("a\xFF", Tokenization::v13a), FormatError);
}
