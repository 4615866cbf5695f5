#pragma once
#include <filesystem>
#include <string>
#include <vector>

namespace weft {

/// Weights between two sequences of words, such as a translation's attention to its source.
struct HeatMap {
  std::string title;
  std::vector<std::string> rows;     ///< words downwards (target), UTF-8
  std::vector<std::string> columns;  ///< words rightwards (source), UTF-8
  std::vector<double> weights;       ///< rows.size() x columns.size(), row after row, each from 0 to 1
  std::string row_axis = "target";
  std::string column_axis = "source";
};

/// The map as an SVG picture: words on both axes, a cell's colour for its weight, pair and weight as a cell's tooltip; it
/// follows the reader's light or dark setting. What XML can't hold (control characters, invalid UTF-8) becomes U+FFFD. Throws
/// ShapeError when the sizes don't fit or a side is empty, ValueError for a weight that is not from 0 to 1 (to 1e-6).
std::string heat_map_svg(const HeatMap& map);

/// Writes the picture to a file, whole or not at all. Throws as `heat_map_svg`, and IoError.
void write_heat_map(const std::filesystem::path& path, const HeatMap& map);

}  // namespace weft
