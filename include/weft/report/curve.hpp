#pragma once
#include <string>
#include <vector>

namespace weft::report {

/// One line of a diagram: points in order of x.
struct Series {
  std::string name;
  std::vector<double> x, y;  ///< as many of each; what isn't finite is a gap in the line
};

/// A diagram of lines over one axis: losses over updates.
struct Curve {
  std::string title;
  std::vector<Series> series;
  std::string x_axis = "update", y_axis = {};
};

}  // namespace weft::report
