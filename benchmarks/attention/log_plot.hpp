#pragma once
#include <string>
#include <utility>
#include <vector>

namespace bench {

/// One line of a plot: its points from left to right, all above 0; it may have none.
struct Line {
  std::string name;
  std::vector<std::pair<double, double>> points;
};

/// One picture of several, which stand side by side.
struct Panel {
  std::string title;
  std::vector<Line> lines;  ///< in all panels the same names in the same order
};

/// Panels over one axis, both axes logarithmic, with one legend, as an SVG that follows the reader's light or dark setting.
std::string log_plot_svg(const std::string& x_axis, const std::vector<Panel>& panels);

}  // namespace bench
