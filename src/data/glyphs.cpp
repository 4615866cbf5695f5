#include "weft/data/glyphs.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include "base/fail.hpp"

namespace weft::data {
namespace {

struct Point {
  double x, y;
};

// The corners of a display, 1 wide and 2 high, and what joins them: top, upper right, lower right, bottom, lower left, upper
// left, middle.
constexpr std::array<std::array<Point, 2>, 7> segments = {{{{{0, 0}, {1, 0}}},
                                                           {{{1, 0}, {1, 1}}},
                                                           {{{1, 1}, {1, 2}}},
                                                           {{{0, 2}, {1, 2}}},
                                                           {{{0, 1}, {0, 2}}},
                                                           {{{0, 0}, {0, 1}}},
                                                           {{{0, 1}, {1, 1}}}}};

// Which of them each of glyph_characters has, the lowest bit first.
constexpr std::array<unsigned, glyph_characters.size()> shapes = {
    63, 6, 91, 79, 102, 109, 125, 7, 127, 111, 119, 124, 57, 94, 121, 113, 116, 14, 56, 84, 92, 115, 80, 120, 62, 110};

constexpr std::array<std::string_view, 20> lexicon = {"apple",  "bread",   "candle", "dance",  "eel",    "fable", "horn",
                                                      "jar",    "lantern", "north",  "land",   "pepper", "rope",  "table",
                                                      "turtle", "under",   "yard",   "copper", "bubble", "planet"};

double distance(const Point& p, const Point& a, const Point& b) {
  const double dx = b.x - a.x, dy = b.y - a.y;
  const double along = std::clamp(((p.x - a.x) * dx + (p.y - a.y) * dy) / (dx * dx + dy * dy), 0.0, 1.0);
  return std::hypot(p.x - a.x - along * dx, p.y - a.y - along * dy);
}

/// Where the display lies in the image, in pixels.
struct Placement {
  double left, top, width, height, slant, thickness;

  Point at(const Point& p) const {
    const double down = p.y / 2;
    return {left + p.x * width + slant * (0.5 - down) * height, top + down * height};
  }
};

Placement placed(double height, double width, Generator& generator) {
  const auto between = [&](double least, double most) { return least + generator.uniform() * (most - least); };
  Placement place{};
  place.width = width * between(0.45, 0.6);
  place.height = height * between(0.6, 0.75);
  place.slant = between(-0.12, 0.12);
  place.thickness = std::max(0.6, 0.04 * height * between(0.8, 1.3));
  place.left = (width - place.width) / 2 + width * between(-0.06, 0.06);
  place.top = (height - place.height) / 2 + height * between(-0.06, 0.06);
  return place;
}

}  // namespace

Tensor draw_glyph(char character, std::int64_t height, std::int64_t width, Generator& generator) {
  const std::size_t place = glyph_characters.find(character);
  check<ValueError>(place != std::string_view::npos, "draw_glyph", "'{}' can't be drawn; {} can", character, glyph_characters);
  check<ValueError>(height >= 4 && width >= 4, "draw_glyph", "an image of {} by {} pixels; 4 a side are needed", height, width);
  const Placement placement = placed(static_cast<double>(height), static_cast<double>(width), generator);
  Tensor image = Tensor::empty({height, width});
  float* pixel = image.mutable_data<float>();
  for (std::int64_t row = 0; row < height; ++row) {
    for (std::int64_t column = 0; column < width; ++column) {
      const Point centre{static_cast<double>(column) + 0.5, static_cast<double>(row) + 0.5};
      double nearest = 1e9;
      for (std::size_t i = 0; i < segments.size(); ++i)
        if ((shapes[place] >> i & 1U) != 0)
          nearest = std::min(nearest, distance(centre, placement.at(segments[i][0]), placement.at(segments[i][1])));
      *pixel++ = static_cast<float>(std::clamp(placement.thickness + 0.5 - nearest, 0.0, 1.0));
    }
  }
  return image;
}

std::vector<LetterWord> made_letter_words(std::int64_t count, std::uint64_t seed, const LetterImagesOptions& options) {
  check<ValueError>(count >= 0, "made_letter_words", "{} words can't be made", count);
  std::vector<LetterWord> words;
  for (std::int64_t i = 0; i < count; ++i) {
    Generator generator(seed, static_cast<std::uint64_t>(i) << 20);  // far more positions than a word takes
    const std::string_view text = lexicon[generator.below(lexicon.size())];
    Tensor images = Tensor::empty({static_cast<std::int64_t>(text.size()), options.height, options.width});
    for (std::size_t letter = 0; letter < text.size(); ++letter)
      images.select(0, static_cast<std::int64_t>(letter))
          .copy_from(draw_glyph(text[letter], options.height, options.width, generator));
    words.push_back({i % 10, std::string(text), std::move(images)});
  }
  return words;
}

}  // namespace weft::data
