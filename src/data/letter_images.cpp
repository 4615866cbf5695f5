#include "weft/data/letter_images.hpp"

#include <algorithm>
#include <charconv>
#include <optional>
#include <sstream>

#include "base/fail.hpp"
#include "weft/data/lines.hpp"
#include "weft/text/utf8.hpp"

namespace weft::data {
namespace {

constexpr const char* operation = "read_letter_images";

/// -1 for what is no hexadecimal digit.
int digit_of(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

std::vector<std::string> fields_of(const std::string& line) {
  std::istringstream stream(line);
  std::vector<std::string> fields;
  for (std::string field; stream >> field;) fields.push_back(field);
  return fields;
}

/// Puts the pixels of `digits` at `pixel`; false where one is no digit.
bool draw(const std::string& digits, float* pixel) {
  for (const char c : digits) {
    const int digit = digit_of(c);
    if (digit < 0) return false;
    for (int bit = 3; bit >= 0; --bit) *pixel++ = static_cast<float>(digit >> bit & 1);
  }
  return true;
}

/// Makes a word of a line; returns what is wrong with it, "" where nothing is.
std::string parse(const std::string& line, const LetterImagesOptions& options, LetterWord& word) {
  const std::vector<std::string> fields = fields_of(line);
  if (fields.size() < 3) return "a fold, a word and an image for each of its letters are needed";
  const char* const end = fields[0].data() + fields[0].size();
  const auto [read, error] = std::from_chars(fields[0].data(), end, word.fold);
  if (error != std::errc() || read != end || word.fold < 0 || word.fold > LetterWord::largest_fold)
    return fmt::format("'{}' is no fold, which is a whole number from 0 to {}", fields[0], LetterWord::largest_fold);
  word.text = fields[1];
  const std::size_t letters = text::decode_utf8(word.text).size(), images = fields.size() - 2;
  if (letters != images) return fmt::format("'{}' has {} letters, but {} images follow", word.text, letters, images);
  const std::int64_t pixels = options.height * options.width;
  word.images = Tensor::empty({static_cast<std::int64_t>(images), options.height, options.width});
  float* pixel = word.images.mutable_data<float>();
  for (std::size_t i = 0; i < images; ++i) {
    const std::string& digits = fields[i + 2];
    if (static_cast<std::int64_t>(digits.size()) != pixels / 4)
      return fmt::format("image {} has {} digits, not the {} of {} by {} pixels", i + 1, digits.size(), pixels / 4,
                         options.height, options.width);
    if (!draw(digits, pixel)) return fmt::format("image {} has something else than hexadecimal digits", i + 1);
    pixel += pixels;
  }
  return "";
}

/// [h, w], 1 where there is ink: the mean of the colours, let through where the picture is transparent.
Tensor ink_of(const Tensor& picture) {
  const std::int64_t channels = picture.size(0), pixels = picture.size(1) * picture.size(2);
  const bool transparent = channels % 2 == 0;
  const std::int64_t colours = transparent ? channels - 1 : channels;
  const Tensor whole = picture.contiguous();
  const float* const from = whole.data<float>();
  Tensor ink = Tensor::empty({picture.size(1), picture.size(2)});
  float* const to = ink.mutable_data<float>();
  for (std::int64_t i = 0; i < pixels; ++i) {
    float light = 0;
    for (std::int64_t c = 0; c < colours; ++c) light += from[c * pixels + i];
    const float opaque = transparent ? from[colours * pixels + i] : 1;
    to[i] = (1 - light / static_cast<float>(colours)) * opaque;
  }
  return ink;
}

constexpr std::int64_t largest = 1 << 12;

bool is_size(const LetterImagesOptions& o) { return o.height > 0 && o.width > 0 && o.height <= largest && o.width <= largest; }

}  // namespace

LetterImages read_letter_images(const std::filesystem::path& path, const LetterImagesOptions& options) {
  check<ValueError>(is_size(options) && options.height * options.width % 4 == 0, operation,
                    "letters of {} by {} pixels; both must be from 1 to {}, their product a multiple of 4", options.height,
                    options.width, largest);
  LineReader reader(path);
  LetterImages result;
  std::optional<std::int64_t> invalid;
  for (std::string line; reader.next(line, invalid);) {
    if (!invalid && is_blank(line)) continue;
    ++result.lines;
    LetterWord word;
    const std::string problem = invalid ? "" : parse(line, options, word);
    if (!invalid && problem.empty()) {
      result.words.push_back(std::move(word));
    } else {
      ++result.skipped;
      if (result.first_skipped.size() < LetterImages::most_told)
        result.first_skipped.push_back(invalid ? reader.fault(line, *invalid)
                                               : fmt::format("{}, line {}: {}", reader.name(), reader.line_number(), problem));
    }
  }
  check<FormatError>(result.lines > 0, operation, "{} has no lines", reader.name());
  if (result.words.empty())
    fail<FormatError>(operation, "none of the {} lines of {} is a word; the first: {}", result.lines, reader.name(),
                      result.first_skipped.front());
  return result;
}

Tensor letters_of_picture(const Tensor& picture, const LetterImagesOptions& options) {
  constexpr const char* name = "letters_of_picture";
  check<ValueError>(is_size(options), name, "letters of {} by {} pixels; both must be from 1 to {}", options.height,
                    options.width, largest);
  check<ValueError>(picture.defined(), name, "there is no picture");
  check<DTypeError>(picture.dtype() == f32, name, "the picture is {}, not f32", picture.describe());
  check<ShapeError>(picture.rank() == 3 && picture.size(0) >= 1 && picture.size(0) <= 4 && picture.numel() > 0, name,
                    "the picture is {}, not [1 to 4 channels, height, width]", picture.describe());
  const std::int64_t times = picture.size(1) / options.height, width = times * options.width;
  check<ShapeError>(
      times >= 1 && picture.size(1) % options.height == 0 && picture.size(2) % width == 0, name,
      "the picture is {} pixels wide and {} high; letters of {} by {} or a whole multiple must fill it side by side",
      picture.size(2), picture.size(1), options.width, options.height);
  const Tensor values = picture.contiguous();
  const float* const value = values.data<float>();
  const bool light = std::all_of(value, value + values.numel(), [](float x) { return x >= 0 && x <= 1; });
  check<ValueError>(light, name, "the picture {} has values that aren't from 0 to 1", picture.describe());
  const Tensor ink = ink_of(values);
  const std::int64_t letters = picture.size(2) / width, row = picture.size(2);
  Tensor images = Tensor::zeros({letters, options.height, options.width});
  float* const to = images.mutable_data<float>();
  const float* const from = ink.data<float>();
  const auto area = static_cast<float>(times * times);
  for (std::int64_t y = 0; y < picture.size(1); ++y)
    for (std::int64_t x = 0; x < row; ++x)
      to[(x / width * options.height + y / times) * options.width + x % width / times] += from[y * row + x] / area;
  return images;
}

}  // namespace weft::data
