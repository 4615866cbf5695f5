#pragma once
#include <cstdint>
#include <string_view>
#include <vector>

#include "weft/base/random.hpp"
#include "weft/data/letter_images.hpp"
#include "weft/tensor/tensor.hpp"

namespace weft::data {

/// What draw_glyph can draw: digits, and the letters that seven segments show.
inline constexpr std::string_view glyph_characters = "0123456789abcdefhjlnoprtuy";

/// An image f32 [height, width], 0 to 1, of a character as a display of seven segments shows it, each time slanted, scaled and
/// moved a little by the generator's draws: for tests, and for programs without data. Throws ValueError for a character that
/// isn't among glyph_characters, and for fewer than 4 pixels a side.
Tensor draw_glyph(char character, std::int64_t height, std::int64_t width, Generator& generator);

/// Words of a small lexicon in such letters, in folds 0 to 9 in turn; word i is a function of (seed, i).
/// Throws ValueError for a negative count.
std::vector<LetterWord> made_letter_words(std::int64_t count, std::uint64_t seed, const LetterImagesOptions& options = {});

}  // namespace weft::data
