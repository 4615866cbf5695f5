#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "base/fail.hpp"
#include "report/json.hpp"
#include "report/thin.hpp"
#include "weft/report/report.hpp"

namespace weft::report {
namespace {

constexpr std::int64_t most_on_a_side = 512, most_cells = 1 << 20, most_pixels = 128, most_grid = 64;
constexpr std::size_t most_points = 2000;

std::int64_t count(const std::vector<std::string>& labels) { return static_cast<std::int64_t>(labels.size()); }

/// The tensor's numbers, its dimensions at the end of four.
Block block_of(const Tensor& tensor, const char* op, const char* what) {
  check<DTypeError>(tensor.dtype() == f32 || tensor.dtype() == f64, op, "{} {} must be f32 or f64", what, tensor);
  const Tensor dense = tensor.to(f64).contiguous();
  Block block;
  const auto skipped = 4 - static_cast<std::size_t>(tensor.rank());
  for (int d = 0; d < tensor.rank(); ++d) block.sizes[skipped + static_cast<std::size_t>(d)] = tensor.size(d);
  block.values.assign(dense.data<double>(), dense.data<double>() + dense.numel());
  return block;
}

/// A label for each `by` neighbours: the first's and the last's.
std::vector<std::string> thinned_labels(const std::vector<std::string>& labels, std::int64_t by) {
  std::vector<std::string> result;
  const auto run = static_cast<std::size_t>(by);
  for (std::size_t i = 0; i < labels.size(); i += run) {
    const std::size_t last = std::min(i + run, labels.size()) - 1;
    result.push_back(last == i ? labels[i] : labels[i] + " … " + labels[last]);
  }
  return result;
}

std::string thinning_note(std::int64_t rows, std::int64_t columns) {
  if (rows == 1 && columns == 1) return {};
  return fmt::format("Each cell is the mean of {} rows and {} columns.", rows, columns);
}

/// The same of a picture or of the parts of one.
std::string thinning_note(const char* of, std::int64_t down, std::int64_t across) {
  if (down == 1 && across == 1) return {};
  return fmt::format("Each {} is the mean of {} down and {} across.", of, down, across);
}

std::string joined(const std::vector<std::string>& notes) {
  std::string all;
  for (const std::string& note : notes) all += (all.empty() || note.empty() ? "" : " ") + note;
  return all;
}

std::string empty_figure(const char* kind) { return fmt::format(R"({{"kind":"{}","empty":true}})", kind); }

/// What all kinds of maps have.
std::string map_data(const char* kind, std::string_view title, const std::vector<std::string>& rows,
                     const std::vector<std::string>& columns, std::string_view row_axis, std::string_view column_axis,
                     std::span<const double> weights, std::string_view note) {
  return fmt::format(R"({{"kind":"{}","title":{},"rows":{},"columns":{},"rowAxis":{},"columnAxis":{},"note":{},"weights":{})",
                     kind, json_string(title), json_array(rows), json_array(columns), json_string(row_axis),
                     json_string(column_axis), json_string(note), json_array(weights));
}

/// Bytes from black to white, between the lowest and the highest finite number.
std::vector<std::uint8_t> grey(std::span<const double> values) {
  double low = std::numeric_limits<double>::infinity(), high = -low;
  for (const double value : values) {
    if (!std::isfinite(value)) continue;
    low = std::min(low, value);
    high = std::max(high, value);
  }
  std::vector<std::uint8_t> bytes;
  bytes.reserve(values.size());
  for (const double value : values) {
    const double share = !std::isfinite(value) ? 0 : high > low ? (value / 2 - low / 2) / (high / 2 - low / 2) : 0.5;
    bytes.push_back(static_cast<std::uint8_t>(std::lround(255 * share)));
  }
  return bytes;
}

}  // namespace

Report& Report::curve(const Curve& curve) {
  std::string lines, note;
  bool empty = true;
  for (const Series& series : curve.series) {
    check<ShapeError>(series.x.size() == series.y.size(), "report::curve", "the series '{}' has {} x and {} y", series.name,
                      series.x.size(), series.y.size());
    const Series kept = thinned(series, most_points);
    if (kept.x.size() < series.x.size()) note = "Of many neighbouring points the lowest and the highest are shown.";
    for (std::size_t i = 0; i < kept.x.size(); ++i) empty = empty && !(std::isfinite(kept.x[i]) && std::isfinite(kept.y[i]));
    if (kept.x.empty()) continue;
    lines += fmt::format(R"({}{{"name":{},"x":{},"y":{}}})", lines.empty() ? "" : ",", json_string(kept.name),
                         json_array(kept.x, 15), json_array(kept.y));
  }
  if (empty) return figure(curve.title, empty_figure("curve"));
  return figure(curve.title, fmt::format(R"({{"kind":"curve","title":{},"xAxis":{},"yAxis":{},"note":{},"series":[{}]}})",
                                         json_string(curve.title), json_string(curve.x_axis), json_string(curve.y_axis),
                                         json_string(note), lines));
}

Report& Report::attention(const AttentionMap& map) {
  constexpr const char* op = "report::attention";
  const std::int64_t rows = count(map.rows), columns = count(map.columns);
  if (!map.weights.defined() && (rows == 0 || columns == 0)) return figure(map.title, empty_figure("attention"));
  const Tensor& weights = map.weights;
  check<ShapeError>(weights.defined() && weights.rank() >= 2 && weights.rank() <= 4 && weights.size(-2) == rows &&
                        weights.size(-1) == columns,
                    op, "weights {} are not [rows, columns], [heads, ...] or [layers, heads, ...] for {} rows and {} columns",
                    weights.defined() ? weights.describe() : "(undefined)", rows, columns);
  if (weights.numel() == 0) return figure(map.title, empty_figure("attention"));
  std::array<std::int64_t, 4> by = {1, 1, share_of(rows, most_on_a_side), share_of(columns, most_on_a_side)};
  const auto cells = [&](int d) {
    return (weights.size(d) + by[static_cast<std::size_t>(4 + d)] - 1) / by[static_cast<std::size_t>(4 + d)];
  };
  while (weights.numel() / rows / columns * cells(-2) * cells(-1) > most_cells && cells(-2) * cells(-1) > 1)
    by[cells(-2) >= cells(-1) ? 2 : 3] *= 2;
  const Block kept = thinned(block_of(weights, op, "weights"), by);
  return figure(map.title,
                map_data("attention", map.title, thinned_labels(map.rows, by[2]), thinned_labels(map.columns, by[3]),
                         map.row_axis, map.column_axis, kept.values, thinning_note(by[2], by[3])) +
                    fmt::format(R"(,"shape":[{},{},{},{}]}})", kept.sizes[0], kept.sizes[1], kept.sizes[2], kept.sizes[3]));
}

Report& Report::shaded_text(const ShadedText& text) {
  std::string lines;
  bool empty = true;
  for (std::size_t i = 0; i < text.lines.size(); ++i) {
    const ShadedLine& line = text.lines[i];
    check<ShapeError>(line.words.size() == line.weights.size(), "report::shaded_text", "line {} has {} words and {} weights",
                      i + 1, line.words.size(), line.weights.size());
    empty = empty && line.words.empty();
    const std::string weight = std::isfinite(line.weight) ? fmt::format("{:.4g}", line.weight) : "null";
    lines += fmt::format(R"({}{{"words":{},"weights":{},"weight":{}}})", i == 0 ? "" : ",", json_array(line.words),
                         json_array(line.weights), weight);
  }
  if (empty) return figure(text.title, empty_figure("text"));
  return figure(text.title, fmt::format(R"({{"kind":"text","title":{},"between":{},"lines":[{}]}})", json_string(text.title),
                                        json_string(text.between), lines));
}

Report& Report::over_spectrogram(const SoundWeights& sound) {
  constexpr const char* op = "report::over_spectrogram";
  check<ValueError>(sound.seconds_per_frame > 0 && std::isfinite(sound.seconds_per_frame), op,
                    "seconds_per_frame {} must be positive", sound.seconds_per_frame);
  check<ShapeError>(sound.spectrogram.defined() && sound.spectrogram.rank() == 2, op, "spectrogram {} is not [frames, bands]",
                    sound.spectrogram.defined() ? sound.spectrogram.describe() : "(undefined)");
  const std::int64_t frames = sound.spectrogram.size(0), bands = sound.spectrogram.size(1), outputs = count(sound.outputs);
  const bool alone = !sound.weights.defined() && outputs == 0;
  check<ShapeError>(alone || (sound.weights.defined() && sound.weights.shape() == Shape{outputs, frames}), op,
                    "weights {} are not [outputs, frames] for {} outputs and the spectrogram {}",
                    sound.weights.defined() ? sound.weights.describe() : "(undefined)", outputs, sound.spectrogram);
  if (frames == 0 || bands == 0 || (outputs == 0 && !alone)) return figure(sound.title, empty_figure("sound"));
  const std::int64_t frames_by = share_of(frames, most_on_a_side), bands_by = share_of(bands, most_pixels),
                     outputs_by = share_of(outputs, most_on_a_side);
  // A band a row, the highest first.
  const Block picture =
      thinned(block_of(sound.spectrogram.transpose(0, 1).flip(0), op, "spectrogram"), {1, 1, bands_by, frames_by});
  const Block weights = alone ? Block() : thinned(block_of(sound.weights, op, "weights"), {1, 1, outputs_by, frames_by});
  std::vector<std::string> times;
  for (std::int64_t i = 0; i < frames; i += frames_by)
    times.push_back(fmt::format("{:.4g} s", static_cast<double>(i) * sound.seconds_per_frame));
  const std::string note = joined(
      {alone ? "" : thinning_note(outputs_by, frames_by), thinning_note("point of the spectrogram", bands_by, frames_by)});
  return figure(sound.title, map_data("sound", sound.title, thinned_labels(sound.outputs, outputs_by), times, "output", "time",
                                      weights.values, note) +
                                 fmt::format(R"(,"frames":{},"bands":{},"spectrogram":{}}})", picture.sizes[3],
                                             picture.sizes[2], json_bytes(grey(picture.values))));
}

Report& Report::over_frames(const FrameWeights& given) {
  constexpr const char* op = "report::over_frames";
  const Tensor& frames = given.frames;
  check<ShapeError>(frames.defined() && given.weights.defined(), op, "the {} are undefined",
                    frames.defined() ? "weights" : "frames");
  const bool coloured = frames.rank() == 4;
  check<ShapeError>(frames.rank() == 3 || (coloured && frames.size(3) == 3), op,
                    "frames {} are not [frames, height, width] or [frames, height, width, 3]", frames);
  const std::int64_t number = frames.size(0), outputs = count(given.outputs);
  const bool gridded = given.weights.rank() == 4;
  check<ShapeError>(
      (gridded || given.weights.rank() == 2) && given.weights.size(0) == outputs && given.weights.size(1) == number, op,
      "weights {} are not [outputs, frames] or [outputs, frames, grid height, grid width] for {} outputs and frames {}",
      given.weights, outputs, frames);
  if (frames.numel() == 0 || given.weights.numel() == 0) return figure(given.title, empty_figure("frames"));

  const std::int64_t frames_by = share_of(number, most_on_a_side), outputs_by = share_of(outputs, most_on_a_side),
                     pixels_by = share_of(std::max(frames.size(1), frames.size(2)), most_pixels);
  const Block pictures =
      thinned(block_of(coloured ? frames : frames.unsqueeze(3), op, "frames"), {frames_by, pixels_by, pixels_by, 1});
  Block parts = block_of(gridded ? given.weights : given.weights.unsqueeze(2).unsqueeze(3), op, "weights");
  // Of one frame all of its grid together.
  Block weights{.values = {}, .sizes = {outputs, number, 1, 1}};
  const auto cells = static_cast<std::size_t>(parts.sizes[2] * parts.sizes[3]);
  for (std::size_t at = 0; at < parts.values.size(); at += cells) {
    double sum = 0;
    for (std::size_t i = at; i < at + cells; ++i) sum += parts.values[i];
    weights.values.push_back(sum);
  }
  weights = thinned(std::move(weights), {outputs_by, frames_by, 1, 1});
  std::vector<std::string> names;
  for (std::int64_t i = 0; i < number; ++i) names.push_back(fmt::format("frame {}", i + 1));
  std::vector<std::string> notes = {thinning_note(outputs_by, frames_by), thinning_note("pixel", pixels_by, pixels_by)};
  if (gridded) {
    std::int64_t down = share_of(parts.sizes[2], most_grid), across = share_of(parts.sizes[3], most_grid);
    const auto height = [&] { return (parts.sizes[2] + down - 1) / down; };
    const auto width = [&] { return (parts.sizes[3] + across - 1) / across; };
    while (weights.sizes[0] * weights.sizes[1] * height() * width() > most_cells) (height() >= width() ? down : across) *= 2;
    parts = thinned(std::move(parts), {outputs_by, frames_by, down, across});
    notes.push_back(thinning_note("part of a frame", down, across));
  } else {
    parts = {.values = {}, .sizes = {0, 0, 0, 0}};
  }
  return figure(given.title,
                map_data("frames", given.title, thinned_labels(given.outputs, outputs_by), thinned_labels(names, frames_by),
                         "output", "frame", weights.values, joined(notes)) +
                    fmt::format(R"(,"count":{},"height":{},"width":{},"channels":{},"images":{},"grid":[{},{}],"parts":{}}})",
                                pictures.sizes[0], pictures.sizes[1], pictures.sizes[2], pictures.sizes[3],
                                json_bytes(grey(pictures.values)), parts.sizes[2], parts.sizes[3], json_array(parts.values)));
}

}  // namespace weft::report
