#include "weft/data/glyphs.hpp"

#include <doctest/doctest.h>

#include <set>

#include "support/random.hpp"
#include "weft/base/error.hpp"

using namespace weft;
using namespace weft::data;

TEST_CASE("every character is drawn in its own way, within 0 to 1") {
  std::set<std::string> images;
  for (const char character : glyph_characters) {
    Generator generator(1);  // the same place and slant for each
    const Tensor image = draw_glyph(character, 16, 8, generator);
    CHECK(image.shape() == Shape{16, 8});
    double ink = 0;
    for (std::int64_t i = 0; i < image.numel(); ++i) {
      const float value = image.data<float>()[i];
      CHECK(value >= 0);
      CHECK(value <= 1);
      ink += static_cast<double>(value);
    }
    CHECK(ink > 5);
    CHECK(ink < 64);
    images.insert(image.str() + std::to_string(ink));
  }
  CHECK(images.size() == glyph_characters.size());
}

TEST_CASE("a glyph is a function of the generator's place") {
  Generator first(3), second(3);
  CHECK(test::largest_difference(draw_glyph('8', 28, 28, first), draw_glyph('8', 28, 28, second)) == 0);
  CHECK(test::largest_difference(draw_glyph('8', 28, 28, first), draw_glyph('8', 28, 28, first)) > 0);
}

TEST_CASE("made words are functions of seed and number, and have an image for each letter") {
  const std::vector<LetterWord> words = made_letter_words(25, 7), fewer = made_letter_words(13, 7);
  REQUIRE(words.size() == 25);
  for (std::size_t i = 0; i < words.size(); ++i) {
    CHECK(words[i].fold == static_cast<std::int64_t>(i % 10));
    CHECK(words[i].images.shape() == Shape{static_cast<std::int64_t>(words[i].text.size()), 16, 8});
    if (i < fewer.size()) {
      CHECK(words[i].text == fewer[i].text);
      CHECK(test::largest_difference(words[i].images, fewer[i].images) == 0);
    }
  }
}

TEST_CASE("what can't be drawn is refused") {
  Generator generator(1);
  CHECK_THROWS_WITH_AS(draw_glyph('x', 8, 8, generator), "[draw_glyph] 'x' can't be drawn; 0123456789abcdefhjlnoprtuy can",
                       ValueError);
  CHECK_THROWS_WITH_AS(draw_glyph('1', 3, 8, generator), "[draw_glyph] an image of 3 by 8 pixels; 4 a side are needed",
                       ValueError);
  CHECK_THROWS_WITH_AS(made_letter_words(-1, 1), "[made_letter_words] -1 words can't be made", ValueError);
  CHECK(generator.position() == 0);
}
