#pragma once
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "weft/tensor/tensor.hpp"

namespace weft::data {

/// A handwritten word, letter by letter.
struct LetterWord {
  static constexpr std::int64_t largest_fold = 999;
  std::int64_t fold = 0;  ///< the part of the data that it belongs to, for training on some and testing on others
  std::string text;       ///< UTF-8: a letter (code point) for each image
  Tensor images;          ///< f32 [letters, height, width], 1 where there is ink
};

struct LetterImagesOptions {
  std::int64_t height = 16, width = 8;  ///< of a letter; their product a multiple of 4
};

/// What a file held.
struct LetterImages {
  static constexpr std::size_t most_told = 5;
  std::vector<LetterWord> words;
  std::int64_t lines = 0;                  ///< of the file, blank ones apart
  std::int64_t skipped = 0;                ///< of them: lines that are no word
  std::vector<std::string> first_skipped;  ///< which were the first of these, most_told at most, and why each is none
};

/// Reads the letters of a word a line, plain or gzip, as Kassel's and Taskar's OCR data are kept: the fold, the text, then each
/// letter's pixels, row by row, as hexadecimal digits whose highest bit is the first. A line that isn't so, or
/// no text (see LineReader), is skipped and counted, the first ones with the reason. Throws FormatError where no line is a word
/// and for damaged gzip data; IoError for a file that can't be read; ValueError for a size that can't be.
LetterImages read_letter_images(const std::filesystem::path& path, const LetterImagesOptions& options = {});

/// The letters of a picture in which they stand side by side, dark on light, each height by width pixels or the same whole
/// multiple of both (a larger picture is averaged down): [letters, height, width], 1 where there is ink. The picture is
/// [channels, h, w] from 0 to 1, as read_png gives it: grey or coloured, its transparency taken for paper. Throws ShapeError
/// for other sizes, DTypeError for others than f32, ValueError for other values and letters that can't be.
Tensor letters_of_picture(const Tensor& picture, const LetterImagesOptions& options = {});

}  // namespace weft::data
