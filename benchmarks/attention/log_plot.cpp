#include "attention/log_plot.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>

namespace bench {
namespace {

// Lengths in pixels.
constexpr double width = 420, height = 420, margin = 20, left = 60, top = 44, bottom = 40, legend = 170, row = 18;

constexpr const char* style = R"(
text{font:12px system-ui,"Segoe UI","Noto Sans","DejaVu Sans",sans-serif;fill:#1f2933}
.title{font-size:14px;font-weight:600}
.end{text-anchor:end}
.middle{text-anchor:middle}
.paper{fill:#fff}
.grid{stroke:#d5dce3;fill:none}
.line{fill:none;stroke-width:2}
.line:hover{stroke-width:4}
@media (prefers-color-scheme:dark){
text{fill:#e4e9ef}
.paper{fill:#14181d}
.grid{stroke:#323c47}
}
)";

/// The powers of a base that hold the values, and the way from a value to a place on an axis of a length.
struct Axis {
  double base = 10, low = 0, high = 1;  // exponents

  Axis(double base_, const std::vector<double>& values) : base(base_) {
    if (values.empty()) return;
    const auto [least, most] = std::minmax_element(values.begin(), values.end());
    low = std::floor(exponent(*least) + 1e-9);
    high = std::max(std::ceil(exponent(*most) - 1e-9), low + 1);
  }
  double exponent(double value) const { return std::log(value) / std::log(base); }
  double part(double value) const { return (exponent(value) - low) / (high - low); }
  std::vector<double> marks() const {
    std::vector<double> marks;
    for (double e = low; e <= high; ++e) marks.push_back(std::pow(base, e));
    return marks;
  }
};

/// Neighbours in the legend differ in colour; of those with near colours the dashes differ. Readable on white and on black.
std::string stroke(std::size_t i) {
  constexpr const char* dashes[] = {"", "6 3", "2 3", "9 3 2 3"};
  return fmt::format("stroke=\"hsl({},65%,{}%)\" stroke-dasharray=\"{}\"", i * 137 % 360, i % 2 == 0 ? 48 : 58,
                     dashes[i / 9 % 4]);
}

template <class... Args>
void add(std::string& svg, fmt::format_string<Args...> format, Args&&... args) {
  fmt::format_to(std::back_inserter(svg), format, std::forward<Args>(args)...);
}

void add_panel(std::string& svg, const Panel& panel, const std::string& x_axis, const Axis& across, double begin) {
  std::vector<double> values;
  for (const Line& line : panel.lines)
    for (const auto& point : line.points) values.push_back(point.second);
  const Axis up(10, values);
  const auto x = [&](double value) { return begin + left + across.part(value) * width; };
  const auto y = [&](double value) { return top + (1 - up.part(value)) * height; };
  add(svg, "<text class=\"title\" x=\"{}\" y=\"{}\">{}</text>\n", begin + left, margin + 8, panel.title);
  for (const double mark : across.marks()) {
    add(svg, "<path class=\"grid\" d=\"M{:.1f} {:.1f}v{}\"/><text class=\"middle\" x=\"{:.1f}\" y=\"{:.1f}\">{}</text>\n",
        x(mark), top, height, x(mark), top + height + 16, mark);
  }
  for (const double mark : up.marks()) {
    add(svg, "<path class=\"grid\" d=\"M{:.1f} {:.1f}h{}\"/><text class=\"end\" x=\"{:.1f}\" y=\"{:.1f}\">{:g}</text>\n",
        begin + left, y(mark), width, begin + left - 6, y(mark) + 4, mark);
  }
  add(svg, "<text class=\"middle\" x=\"{:.1f}\" y=\"{:.1f}\">{}</text>\n", begin + left + width / 2, top + height + 34, x_axis);
  for (std::size_t i = 0; i < panel.lines.size(); ++i) {
    const Line& line = panel.lines[i];
    if (line.points.empty()) continue;
    std::string path;
    for (const auto& point : line.points)
      add(path, "{}{:.1f} {:.1f}", path.empty() ? 'M' : 'L', x(point.first), y(point.second));
    // A line of one point: its round end.
    if (line.points.size() == 1) path += "h0";
    add(svg, "<path class=\"line\" stroke-linecap=\"round\" {} d=\"{}\"><title>{}</title></path>\n", stroke(i), path,
        line.name);
  }
}

}  // namespace

std::string log_plot_svg(const std::string& x_axis, const std::vector<Panel>& panels) {
  std::vector<double> values;
  for (const Panel& panel : panels)
    for (const Line& line : panel.lines)
      for (const auto& point : line.points) values.push_back(point.first);
  const Axis across(2, values);
  const std::size_t names = panels.empty() ? 0 : panels[0].lines.size();
  const double key = static_cast<double>(panels.size()) * (left + width + margin) + margin;
  const double whole_width = key + legend,
               whole_height = std::max(top + height + bottom, top + row * static_cast<double>(names) + margin);
  std::string svg;
  add(svg, "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{0}\" height=\"{1}\" viewBox=\"0 0 {0} {1}\" role=\"img\">\n",
      whole_width, whole_height);
  add(svg, "<style>{}</style>\n<rect class=\"paper\" width=\"{}\" height=\"{}\"/>\n", style, whole_width, whole_height);
  for (std::size_t i = 0; i < panels.size(); ++i)
    add_panel(svg, panels[i], x_axis, across, static_cast<double>(i) * (left + width + margin));
  for (std::size_t i = 0; i < names; ++i) {
    const double y = top + row * static_cast<double>(i);
    add(svg, "<path class=\"line\" {} d=\"M{} {}h30\"/><text x=\"{}\" y=\"{}\">{}</text>\n", stroke(i), key, y, key + 38, y + 4,
        panels[0].lines[i].name);
  }
  return svg + "</svg>\n";
}

}  // namespace bench
