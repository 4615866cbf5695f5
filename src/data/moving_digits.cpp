#include "weft/data/moving_digits.hpp"

#include <algorithm>
#include <boost/crc.hpp>
#include <cmath>
#include <numbers>

#include "base/fail.hpp"
#include "weft/base/random.hpp"
#include "weft/data/glyphs.hpp"

namespace weft::data {
namespace {

constexpr const char* where = "MovingDigits";

/// Means of 2 by 2 pixels: [n, height, width] -> [n, height / 2, width / 2].
Tensor halved(const Tensor& images) {
  const Tensor dense = images.contiguous();
  const std::int64_t n = images.size(0), height = images.size(1) / 2, width = images.size(2) / 2;
  Tensor result = Tensor::empty({n, height, width});
  float* out = result.mutable_data<float>();
  for (std::int64_t row = 0; row < n * height; ++row) {
    const float *upper = dense.data<float>() + row * 4 * width, *lower = upper + 2 * width;
    for (std::int64_t column = 0; column < width; ++column, upper += 2, lower += 2)
      *out++ = (upper[0] + upper[1] + lower[0] + lower[1]) / 4;
  }
  return result;
}

/// The largest pixel among each one and its eight neighbours: an image's ink with a rim.
std::vector<float> with_rim(const float* ink, std::int64_t height, std::int64_t width) {
  std::vector<float> result;
  for (std::int64_t row = 0; row < height; ++row)
    for (std::int64_t column = 0; column < width; ++column) {
      float most = 0;
      for (std::int64_t r = std::max<std::int64_t>(row - 1, 0); r <= std::min(row + 1, height - 1); ++r)
        for (std::int64_t c = std::max<std::int64_t>(column - 1, 0); c <= std::min(column + 1, width - 1); ++c)
          most = std::max(most, ink[r * width + c]);
      result.push_back(most);
    }
  return result;
}

/// One coordinate of a digit's upper left corner, from 0 to `range`.
class Path {
 public:
  Path(double start, double velocity, double range) : at_(start), velocity_(velocity), range_(range) {}

  double at() const { return at_; }
  std::int64_t pixel() const { return std::lround(at_); }
  void move() {
    at_ += velocity_;
    if (at_ >= 0 && at_ <= range_) return;
    at_ = at_ < 0 ? -at_ : 2 * range_ - at_;
    velocity_ = -velocity_;
  }

 private:
  double at_, velocity_, range_;
};

/// A digit on its way over frames of `size` pixels a side.
struct Mover {
  const float* ink;
  std::int64_t height, width;
  Path row, column;

  template <class Visit>
  void each_pixel(std::int64_t size, Visit visit) const {
    for (std::int64_t r = 0; r < height; ++r)
      for (std::int64_t c = 0; c < width; ++c) visit((row.pixel() + r) * size + column.pixel() + c, r * width + c);
  }
};

/// Draws the back digit, then the front one over it; returns the share of the back one's ink that is hidden.
double draw(const Mover& front, const std::vector<float>& silhouette, const Mover& back, std::int64_t size, float* frame) {
  double ink = 0, seen = 0;
  back.each_pixel(size, [&](std::int64_t at, std::int64_t pixel) { ink += static_cast<double>(frame[at] = back.ink[pixel]); });
  front.each_pixel(size,
                   [&](std::int64_t at, std::int64_t pixel) { frame[at] *= 1 - silhouette[static_cast<std::size_t>(pixel)]; });
  back.each_pixel(size, [&](std::int64_t at, std::int64_t) { seen += static_cast<double>(frame[at]); });
  front.each_pixel(size, [&](std::int64_t at, std::int64_t pixel) { frame[at] += front.ink[pixel]; });
  return ink > 0 ? 1 - seen / ink : 0;
}

}  // namespace

MovingDigits::MovingDigits(const LabelledImages& digits, const MovingDigitsOptions& options) : options_(options) {
  const Tensor& images = digits.images;
  check<ShapeError>(images.rank() == 3 && images.size(1) % 2 == 0 && images.size(2) % 2 == 0 &&
                        digits.labels.shape() == Shape{images.size(0)},
                    where, "images {} and labels {} are not [n, height, width] of even sizes and [n]", images, digits.labels);
  check<DTypeError>(images.dtype() == f32 && digits.labels.dtype() == i32, where, "images {} must be f32, labels {} i32",
                    images, digits.labels);
  const std::int64_t side = std::max(images.size(1), images.size(2)) / 2;
  check<ValueError>(images.numel() > 0, where, "there are no digits: images {}", images);
  check<ValueError>(options.size > side && options.size <= 1024, where,
                    "frames of {} pixels a side; {} to 1024 are needed for digits of {}", options.size, side + 1, side);
  check<ValueError>(options.frames > 0, where, "films of {} frames; one at least is needed", options.frames);
  check<ValueError>(options.least_speed >= 0 && options.least_speed <= options.most_speed &&
                        options.most_speed <= static_cast<double>(options.size - side),
                    where, "speeds from {} to {} pixels a frame; they must be from 0 to {}, in this order", options.least_speed,
                    options.most_speed, options.size - side);
  images_ = halved(images);
  const Tensor labels = digits.labels.contiguous();
  labels_.assign(labels.data<std::int32_t>(), labels.data<std::int32_t>() + labels.numel());
  const auto [least, most] = std::minmax_element(labels_.begin(), labels_.end());
  check<ValueError>(*least >= 0, where, "image {} has the label {}; labels are 0 or more", least - labels_.begin(), *least);
  classes_ = *most + 1;
}

DigitFilm MovingDigits::film(std::uint64_t index, std::int64_t frames) const {
  check<ValueError>(frames >= 0 && frames <= options_.frames, where, "{} frames of a film of {}", frames, options_.frames);
  const std::int64_t shown = frames == 0 ? options_.frames : frames;
  Generator generator(seed_of(options_.seed, options_.part) ^ hash_of("films"), index << 4);  // ten draws
  const std::int64_t size = options_.size, height = images_.size(1), width = images_.size(2);
  DigitFilm film;
  const auto draw_mover = [&](std::size_t which) {
    const std::uint64_t digit = generator.below(labels_.size());
    film.names[which] = labels_[digit];
    const double angle = 2 * std::numbers::pi * generator.uniform();
    const double speed = options_.least_speed + generator.uniform() * (options_.most_speed - options_.least_speed);
    const auto rows = static_cast<double>(size - height), columns = static_cast<double>(size - width);
    const double row = rows * generator.uniform(), column = columns * generator.uniform();
    return Mover{images_.data<float>() + static_cast<std::int64_t>(digit) * height * width, height, width,
                 Path(row, speed * std::sin(angle), rows), Path(column, speed * std::cos(angle), columns)};
  };
  Mover front = draw_mover(0), back = draw_mover(1);
  const std::vector<float> silhouette = with_rim(front.ink, height, width);
  film.frames = Tensor::zeros({shown, size, size});
  film.centres = Tensor::empty({shown, 2, 2});
  float *frame = film.frames.mutable_data<float>(), *centre = film.centres.mutable_data<float>();
  for (std::int64_t t = 0; t < shown; ++t, frame += size * size) {
    film.hidden = std::max(film.hidden, draw(front, silhouette, back, size, frame));
    for (Mover* mover : {&front, &back}) {
      *centre++ = static_cast<float>(mover->row.at() + static_cast<double>(height) / 2);
      *centre++ = static_cast<float>(mover->column.at() + static_cast<double>(width) / 2);
      mover->row.move();
      mover->column.move();
    }
  }
  return film;
}

std::string MovingDigits::describe() const {
  boost::crc_32_type crc;
  crc.process_bytes(images_.raw(), static_cast<std::size_t>(images_.numel()) * sizeof(float));
  crc.process_bytes(labels_.data(), labels_.size() * sizeof(std::int32_t));
  return fmt::format("{} digits, crc32 {:08x}, {} frames of {}, speed {} to {}, seed {}", labels_.size(), crc.checksum(),
                     options_.frames, options_.size, options_.least_speed, options_.most_speed,
                     seed_of(options_.seed, options_.part));
}

LabelledImages made_digits(std::int64_t count, std::uint64_t seed) {
  check<ValueError>(count >= 0, "made_digits", "{} digits can't be made", count);
  LabelledImages digits{Tensor::empty({count, 28, 28}), Tensor::empty({count}, i32)};
  Generator generator(seed);
  for (std::int64_t i = 0; i < count; ++i) {
    digits.images.select(0, i).copy_from(draw_glyph(glyph_characters[static_cast<std::size_t>(i % 10)], 28, 28, generator));
    digits.labels.mutable_data<std::int32_t>()[i] = static_cast<std::int32_t>(i % 10);
  }
  return digits;
}

}  // namespace weft::data
