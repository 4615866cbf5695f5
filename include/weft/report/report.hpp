#pragma once
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "weft/report/attention_map.hpp"
#include "weft/report/curve.hpp"
#include "weft/report/frame_weights.hpp"
#include "weft/report/shaded_text.hpp"
#include "weft/report/sound_weights.hpp"

namespace weft::report {

/// One HTML page about a run or a model, complete in itself: it opens from the disk, without a network. It follows the
/// reader's light or dark setting and the window's width; each figure is reached by the tab key, its cells by the arrow keys,
/// and its numbers stand in a table too.
///   Report page("A run");
///   page.section("Training").curve({.title = "Loss", .series = {{"training", updates, losses}}});
///   page.attention({.title = "le chat", .rows = target, .columns = source, .weights = weights});
///   page.write("run.html");
/// Any text is shown as it is; bytes that aren't UTF-8 become U+FFFD. Numbers (but the x of curves) are kept to 4 digits; what
/// isn't finite is a gap. Of what is too large for a page neighbours are put together, which the figure says: maps beyond 512 a
/// side or 2^20 cells, curves beyond 2,000 points (their extremes stay), images beyond 128 a side. A figure without data says
/// so.
class Report {
 public:
  explicit Report(std::string_view title);

  /// What is added comes in this order. Each returns the report itself.
  Report& section(std::string_view heading);
  Report& text(std::string_view paragraph);
  /// Throws ShapeError where a row hasn't as many cells as the head.
  Report& table(const std::vector<std::string>& head, const std::vector<std::vector<std::string>>& rows);
  /// Throws ShapeError where a series hasn't as many x as y.
  Report& curve(const Curve& curve);
  /// These throw ShapeError where weights, labels and pictures don't fit, DTypeError unless tensors are f32 or f64.
  Report& attention(const AttentionMap& map);
  Report& shaded_text(const ShadedText& text);
  /// Also ValueError unless seconds_per_frame is positive.
  Report& over_spectrogram(const SoundWeights& sound);
  Report& over_frames(const FrameWeights& frames);

  std::string html() const;
  /// Makes or replaces the file as a whole; throws IoError.
  void write(const std::filesystem::path& path) const;

 private:
  /// A place for a figure in the page, and its data (JSON) for the script that draws it.
  Report& figure(std::string_view title, std::string data);

  std::string title_, body_, figures_;
  int count_ = 0;
};

}  // namespace weft::report
