#include "report/sample.hpp"

#include <cmath>
#include <limits>
#include <string>

namespace weft::test {
namespace {

using Labels = std::vector<std::string>;

/// A bump of width w around 0.
double bump(double distance, double w) { return std::exp(-distance * distance / (2 * w * w)); }

/// Rows that look along the diagonal, sharper from layer to layer and head to head; each sums to 1.
Tensor diagonal_weights(std::int64_t layers, std::int64_t heads, std::int64_t rows, std::int64_t columns) {
  Tensor weights = Tensor::empty({layers, heads, rows, columns});
  auto* to = weights.mutable_data<float>();
  for (std::int64_t layer = 0; layer < layers; ++layer)
    for (std::int64_t head = 0; head < heads; ++head)
      for (std::int64_t row = 0; row < rows; ++row) {
        const double slope = static_cast<double>(columns) / static_cast<double>(rows);
        const double width = 3.0 / static_cast<double>(layer + 1) + 0.4 * static_cast<double>(head);
        double sum = 0;
        for (std::int64_t c = 0; c < columns; ++c)
          sum += to[c] = static_cast<float>(bump(static_cast<double>(c) - slope * static_cast<double>(row), width));
        for (std::int64_t c = 0; c < columns; ++c) to[c] /= static_cast<float>(sum);
        to += columns;
      }
  return weights;
}

report::Curve losses() {
  report::Series training{.name = "training", .x = {}, .y = {}}, validation{.name = "validation", .x = {}, .y = {}};
  for (int update = 50; update <= 3000; update += 50) {
    const double loss = 1.2 + 5 * std::exp(-update / 600.0) + 0.05 * std::sin(update * 1.7);
    training.x.push_back(update);
    training.y.push_back(update == 1500 ? std::numeric_limits<double>::quiet_NaN() : loss);
    if (update % 500 == 0) {
      validation.x.push_back(update);
      validation.y.push_back(loss + 0.2 + update / 12000.0);
    }
  }
  return {.title = "Loss", .series = {training, validation}, .y_axis = "loss"};
}

/// Three tones that rise, the weights of each output over its own.
report::SoundWeights sound() {
  constexpr std::int64_t frames = 120, bands = 40;
  Tensor spectrogram = Tensor::empty({frames, bands}), weights = Tensor::empty({3, frames});
  auto* energy = spectrogram.mutable_data<float>();
  auto* weight = weights.mutable_data<float>();
  for (std::int64_t t = 0; t < frames; ++t) {
    const auto tone = static_cast<double>(t / 40), within = static_cast<double>(t % 40);
    const double loud = bump(within - 20, 9);
    for (std::int64_t band = 0; band < bands; ++band)
      *energy++ =
          static_cast<float>(loud * bump(static_cast<double>(band) - 8 - 9 * tone - within / 8, 2) + 0.02 * std::sin(t * band));
    for (std::int64_t output = 0; output < 3; ++output)
      weight[output * frames + t] = static_cast<float>(0.1 * bump(static_cast<double>(t - 40 * output) - 20, 6));
  }
  return {.title = "Three digits heard", .outputs = {"one", "two", "three"}, .spectrogram = spectrogram, .weights = weights};
}

/// A disc that crosses the image, and the part of each frame that is looked at.
report::FrameWeights frames() {
  constexpr std::int64_t count = 8, size = 24, grid = 6;
  Tensor images = Tensor::zeros({count, size, size}), weights = Tensor::zeros({2, count, grid, grid});
  auto* pixel = images.mutable_data<float>();
  auto* weight = weights.mutable_data<float>();
  for (std::int64_t frame = 0; frame < count; ++frame) {
    const double x = 3 + 2.5 * static_cast<double>(frame), y = 12 + 6 * std::sin(static_cast<double>(frame));
    for (std::int64_t i = 0; i < size * size; ++i)
      *pixel++ = std::hypot(static_cast<double>(i % size) - x, static_cast<double>(i / size) - y) < 4 ? 1.0f : 0.1f;
    for (std::int64_t output = 0; output < 2; ++output)
      for (std::int64_t i = 0; i < grid * grid; ++i) {
        const double near =
            bump(4 * static_cast<double>(i % grid) + 2 - x, 3) * bump(4 * static_cast<double>(i / grid) + 2 - y, 3);
        const double when = bump(static_cast<double>(frame) - (output == 0 ? 1.5 : 6), 1.5);
        weight[(output * count + frame) * grid * grid + i] = static_cast<float>(0.1 * near * when);
      }
  }
  return {.title = "A disc that crosses", .outputs = {"enters", "leaves"}, .frames = images, .weights = weights};
}

}  // namespace

report::Report sample_report() {
  const Labels source = {"the", "old", "gardener", "has", "planted", "three", "small", "trees", "."};
  const Labels target = {"le", "vieux", "jardinier", "a", "planté", "trois", "petits", "arbres", ".", "(end)"};
  report::Report page("What a page shows");
  page.section("Training").curve(losses());
  page.section("A translation");
  page.attention({.title = "le vieux jardinier a planté trois petits arbres .",
                  .rows = target,
                  .columns = source,
                  .weights = diagonal_weights(3, 4, 10, 9)});
  page.section("A review")
      .shaded_text({.title = "Called positive",
                    .lines = {{.words = {"The", "plot", "is", "thin", ",", "almost", "boring", "."},
                               .weights = {0, -0.05, 0, -0.4, 0, -0.02, -0.6, 0},
                               .weight = 0.2},
                              {.words = {"But", "the", "two", "old", "men", "are", "wonderful", "to", "watch", "."},
                               .weights = {0.2, 0, 0.02, 0.05, 0.1, 0, 0.9, 0, 0.3, 0},
                               .weight = 0.8}}});
  page.section("A sound").over_spectrogram(sound());
  page.section("Images").over_frames(frames());
  return page;
}

}  // namespace weft::test
