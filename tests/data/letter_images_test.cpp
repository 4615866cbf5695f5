#include "weft/data/letter_images.hpp"

#include <doctest/doctest.h>

#include <fstream>

#include "support/random.hpp"
#include "support/support.hpp"
#include "weft/base/error.hpp"

using namespace weft;
using namespace weft::data;

namespace {

std::filesystem::path write(const test::TemporaryFolder& folder, const std::string& text) {
  const auto path = folder.path() / "words";
  std::ofstream(path, std::ios::binary) << text;
  return path;
}

// Images of 2 by 4 pixels: two digits.
constexpr LetterImagesOptions small = {.height = 2, .width = 4};

}  // namespace

TEST_CASE("a word's letters are read pixel by pixel, row by row, the highest bit first") {
  const test::TemporaryFolder folder;
  const LetterImages file = read_letter_images(write(folder, "3 ab 81 5A\n\n0  \xC3\xA9  f0\n"), small);
  CHECK(file.lines == 2);
  CHECK(file.skipped == 0);
  CHECK(file.first_skipped.empty());
  REQUIRE(file.words.size() == 2);
  CHECK(file.words[0].fold == 3);
  CHECK(file.words[0].text == "ab");
  CHECK(file.words[0].images.shape() == Shape{2, 2, 4});
  CHECK(file.words[0].images.str() == Tensor::from<float>({1, 0, 0, 0, 0, 0, 0, 1, 0, 1, 0, 1, 1, 0, 1, 0}, {2, 2, 4}).str());
  CHECK(file.words[1].fold == 0);
  CHECK(file.words[1].text == "\xC3\xA9");  // one letter of two bytes
  CHECK(file.words[1].images.str() == Tensor::from<float>({1, 1, 1, 1, 0, 0, 0, 0}, {1, 2, 4}).str());
}

TEST_CASE("a line that is no word is left out and counted, and the reason told") {
  const test::TemporaryFolder folder;
  const std::string sound = "0 a 81\n";
  const auto skipped = [&](const std::string& line) {
    const auto path = write(folder, sound + line + "\n" + sound);
    const LetterImages file = read_letter_images(path, small);
    CHECK(file.words.size() == 2);
    CHECK(file.lines == 3);
    CHECK(file.skipped == 1);
    const std::string start = path.string() + ", line 2";
    REQUIRE(file.first_skipped.size() == 1);
    REQUIRE(file.first_skipped[0].starts_with(start));
    const std::string reason = file.first_skipped[0].substr(start.size());
    return reason.starts_with(": ") ? reason.substr(2) : reason;
  };
  CHECK(skipped("0 \xE9 81") == ", byte 3: not UTF-8 (0xE9)");
  CHECK(skipped(std::string("0 a\0 81", 7)) == ", byte 4: a NUL byte");
  CHECK(skipped("0 " + std::string(1 << 20, 'a')) == "longer than 1048576 bytes");
  CHECK(skipped("0 a") == "a fold, a word and an image for each of its letters are needed");
  CHECK(skipped("x a 81") == "'x' is no fold, which is a whole number from 0 to 999");
  CHECK(skipped("1x a 81") == "'1x' is no fold, which is a whole number from 0 to 999");
  CHECK(skipped("-1 a 81") == "'-1' is no fold, which is a whole number from 0 to 999");
  CHECK(skipped("1000 a 81") == "'1000' is no fold, which is a whole number from 0 to 999");
  CHECK(skipped("99999999999999999999 a 81") == "'99999999999999999999' is no fold, which is a whole number from 0 to 999");
  CHECK(read_letter_images(write(folder, "999 a 81\n"), small).words[0].fold == 999);
  CHECK(skipped("0 ab 81") == "'ab' has 2 letters, but 1 images follow");
  CHECK(skipped("0 a 81 81") == "'a' has 1 letters, but 2 images follow");
  CHECK(skipped("0 ab 81 811") == "image 2 has 3 digits, not the 2 of 2 by 4 pixels");
  CHECK(skipped("0 a g1") == "image 1 has something else than hexadecimal digits");
}

TEST_CASE("of many lines that are no words the first are told and the others counted") {
  const test::TemporaryFolder folder;
  std::string text = "0 a 81\n";
  for (int i = 2; i <= 9; ++i) text += i % 2 == 0 ? "0 a\n" : "0 a g1\n";
  const auto path = write(folder, text);
  const LetterImages file = read_letter_images(path, small);
  CHECK(file.skipped == 8);
  REQUIRE(file.first_skipped.size() == LetterImages::most_told);
  CHECK(file.first_skipped[0] == path.string() + ", line 2: a fold, a word and an image for each of its letters are needed");
  CHECK(file.first_skipped[1] == path.string() + ", line 3: image 1 has something else than hexadecimal digits");
  CHECK(file.first_skipped[4].starts_with(path.string() + ", line 6: "));
}

TEST_CASE("files without words and sizes that can't be are refused") {
  const test::TemporaryFolder folder;
  const auto empty = write(folder, "\n");
  CHECK_THROWS_WITH_AS(read_letter_images(empty, small), ("[read_letter_images] " + empty.string() + " has no lines").c_str(),
                       FormatError);
  const auto text = write(folder, "some text\nand more\n");
  CHECK_THROWS_WITH_AS(read_letter_images(text, small),
                       ("[read_letter_images] none of the 2 lines of " + text.string() + " is a word; the first: " +
                        text.string() + ", line 1: a fold, a word and an image for each of its letters are needed")
                           .c_str(),
                       FormatError);
  CHECK_THROWS_WITH_AS(
      read_letter_images(text, {.height = 3, .width = 3}),
      "[read_letter_images] letters of 3 by 3 pixels; both must be from 1 to 4096, their product a multiple of 4", ValueError);
  CHECK_THROWS_AS(read_letter_images(folder.path() / "none"), IoError);
  CHECK_THROWS_AS(read_letter_images(write(folder, "0 \xFF 81\n"), small), FormatError);
}

TEST_CASE("the OCR data are 6,877 words of 52,152 letters in ten folds") {
  const auto path = test::shared_path("data/ocr-words/ocr_words.txt.gz");
  if (!path) return;
  const LetterImages file = read_letter_images(*path);
  CHECK(file.words.size() == 6877);
  CHECK(file.skipped == 0);
  std::int64_t letters = 0, first_fold = 0;
  for (const LetterWord& word : file.words) {
    letters += word.images.size(0);
    first_fold += word.fold == 0 ? 1 : 0;
  }
  CHECK(letters == 52152);
  CHECK(first_fold == 626);
}

TEST_CASE("a picture's letters stand side by side, and larger ones are averaged down") {
  const Tensor ink = Tensor::from<float>({1, 0, 0, 1, 0, 0, 0.5f, 0, 0, 1, 0, 0, 0, 0, 1, 1}, {1, 2, 8});
  const Tensor letters = Tensor::from<float>({1, 0, 0, 1, 0, 1, 0, 0, 0, 0, 0.5f, 0, 0, 0, 1, 1}, {2, 2, 4});
  const LetterImagesOptions options = small;
  const auto drawn = [&](std::int64_t channels, std::int64_t times) {
    Tensor picture = Tensor::full({channels, 2 * times, 8 * times}, 1);
    for (std::int64_t c = 0; c < std::max<std::int64_t>(1, channels / 2 * 2 - 1); ++c)
      for (std::int64_t y = 0; y < 2 * times; ++y)
        for (std::int64_t x = 0; x < 8 * times; ++x)
          picture.mutable_data<float>()[(c * 2 * times + y) * 8 * times + x] = 1 - ink.data<float>()[y / times * 8 + x / times];
    return picture;
  };
  CHECK(letters_of_picture(drawn(1, 1), options).str() == letters.str());
  CHECK(letters_of_picture(drawn(1, 3), options).shape() == letters.shape());
  CHECK(test::largest_difference(letters_of_picture(drawn(1, 3), options), letters) < 1e-6);
  CHECK(letters_of_picture(drawn(2, 2), options).str() == letters.str());                                // opaque
  CHECK(letters_of_picture(Tensor::zeros({2, 2, 4}), options).str() == Tensor::zeros({1, 2, 4}).str());  // nothing but paper
  CHECK_THROWS_WITH_AS(letters_of_picture(Tensor::zeros({1, 3, 4}), options),
                       doctest::Contains("4 pixels wide and 3 high; letters of 4 by 2"), ShapeError);
  CHECK_THROWS_AS(letters_of_picture(Tensor::zeros({1, 2, 6}), options), ShapeError);
  CHECK_THROWS_AS(letters_of_picture(Tensor::zeros({1, 1, 4}), options), ShapeError);
  CHECK_THROWS_AS(letters_of_picture(Tensor::zeros({5, 2, 4}), options), ShapeError);
  CHECK_THROWS_AS(letters_of_picture(Tensor::zeros({1, 2, 0}), options), ShapeError);
  CHECK_THROWS_AS(letters_of_picture(Tensor::zeros({2, 4}), options), ShapeError);
  CHECK_THROWS_AS(letters_of_picture(Tensor::zeros({1, 2, 4}, f64), options), DTypeError);
  CHECK_THROWS_AS(letters_of_picture(Tensor::zeros({1, 2, 4}), {.height = 0, .width = 4}), ValueError);
  CHECK_THROWS_WITH_AS(letters_of_picture(Tensor()), "[letters_of_picture] there is no picture", ValueError);
  CHECK(letters_of_picture(Tensor::zeros({1, 5, 10}), {.height = 5, .width = 5}).shape() == Shape{2, 5, 5});
}
