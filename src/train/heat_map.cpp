#include "weft/train/heat_map.hpp"

#include <fmt/format.h>
#include <unicode/uchar.h>
#include <unicode/unistr.h>

#include <algorithm>
#include <cmath>
#include <iterator>

#include "base/fail.hpp"
#include "weft/base/file.hpp"

namespace weft {
namespace {

// Lengths in pixels.
constexpr double cell = 26, margin = 20, gap = 8, font = 13, title_font = 15;
constexpr double legend_width = 130, legend_height = 10;
constexpr int longest_label = 28, longest_title = 120;  // characters; the tooltip has the whole word

// Colours by class, so that the dark setting replaces them; a cell's weight is the opacity of one colour on the ground.
constexpr const char* style = R"(
text{font:13px system-ui,"Segoe UI","Noto Sans","DejaVu Sans",sans-serif;fill:#1f2933}
.title{font-size:15px;font-weight:600}
.faint{font-size:11px;fill:#6b7785}
.end{text-anchor:end}
.middle{text-anchor:middle}
.paper{fill:#fff}
.ground{fill:#eef2f6}
.cell{fill:#0b5cad}
.cell:hover{stroke:#e8590c;stroke-width:2}
.stop{stop-color:#0b5cad}
.lines{stroke:#fff;fill:none;pointer-events:none}
@media (prefers-color-scheme:dark){
text{fill:#e4e9ef}
.faint{fill:#93a1b0}
.paper{fill:#14181d}
.ground{fill:#222a33}
.cell{fill:#6cb6ff}
.stop{stop-color:#6cb6ff}
.lines{stroke:#14181d}
}
)";

/// A word as it is drawn: escaped for XML, in whole and shortened, with the width that the short form takes, about.
struct Label {
  std::string whole, shown;
  double width = 0;
};

void append_escaped(std::string& text, UChar32 c) {
  switch (c) {
    case '&': text += "&amp;"; return;
    case '<': text += "&lt;"; return;
    case '>': text += "&gt;"; return;
    case '"': text += "&quot;"; return;
    default: icu::UnicodeString(c).toUTF8String(text);
  }
}

/// XML 1.0 has no way to write most control characters, nor the two non-characters.
bool is_xml(UChar32 c) { return (c >= 0x20 || c == '\t' || c == '\n' || c == '\r') && c != 0xFFFE && c != 0xFFFF; }

double width_of(UChar32 c, double size) {
  const auto type = u_charType(c);
  if (type == U_NON_SPACING_MARK || type == U_ENCLOSING_MARK) return 0;
  const int breadth = u_getIntPropertyValue(c, UCHAR_EAST_ASIAN_WIDTH);
  return size * (breadth == U_EA_WIDE || breadth == U_EA_FULLWIDTH ? 1 : 0.6);
}

Label label_of(const std::string& text, double size = font, int longest = longest_label) {
  Label label;
  const auto decoded = icu::UnicodeString::fromUTF8(text);
  const int count = decoded.countChar32();
  for (int i = 0, at = 0; i < count; ++i, at = decoded.moveIndex32(at, 1)) {
    UChar32 c = decoded.char32At(at);
    if (!is_xml(c)) c = 0xFFFD;
    append_escaped(label.whole, c);
    if (count > longest && i >= longest) continue;
    if (count > longest && i == longest - 1) c = 0x2026;  // an ellipsis
    append_escaped(label.shown, c);
    label.width += width_of(c, size);
  }
  return label;
}

std::vector<Label> labels_of(const std::vector<std::string>& words) {
  std::vector<Label> labels;
  labels.reserve(words.size());
  for (const auto& word : words) labels.push_back(label_of(word));
  return labels;
}

/// A length with one decimal at most.
double px(double length) { return std::round(length * 10) / 10; }

void check_map(const HeatMap& map) {
  constexpr const char* op = "heat_map_svg";
  check<ShapeError>(!map.rows.empty() && !map.columns.empty(), op, "{} rows and {} columns; at least one of each is needed",
                    map.rows.size(), map.columns.size());
  check<ShapeError>(map.weights.size() == map.rows.size() * map.columns.size(), op, "{} weights for {} rows and {} columns",
                    map.weights.size(), map.rows.size(), map.columns.size());
  for (std::size_t i = 0; i < map.weights.size(); ++i) {
    const double weight = map.weights[i];
    check<ValueError>(weight >= -1e-6 && weight <= 1 + 1e-6, op, "the weight in row {}, column {} is {}, not from 0 to 1",
                      i / map.columns.size(), i % map.columns.size(), weight);
  }
}

/// A heat map on its way to SVG text: what is written, where things stand, and the parts of the picture.
class Picture {
 public:
  explicit Picture(const HeatMap& map)
      : weights_(map.weights),
        rows_(labels_of(map.rows)),
        columns_(labels_of(map.columns)),
        title_(label_of(map.title, title_font, longest_title)),
        row_axis_(label_of(map.row_axis)),
        column_axis_(label_of(map.column_axis)) {
    double row_labels = std::max(row_axis_.width, column_axis_.width) + font;
    for (const auto& label : rows_) row_labels = std::max(row_labels, label.width);
    left_ = margin + row_labels + gap;
    grid_width_ = cell * static_cast<double>(columns_.size());
    grid_height_ = cell * static_cast<double>(rows_.size());

    // Column labels lean to the right by 45 degrees: they take their length times sqrt(1/2), up and to the right.
    double column_labels = 2 * font, right = left_ + std::max(grid_width_, legend_width);
    for (std::size_t c = 0; c < columns_.size(); ++c) {
      const double reach = (columns_[c].width + font) * std::sqrt(0.5);
      column_labels = std::max(column_labels, reach);
      right = std::max(right, x(c) + cell / 2 + reach);
    }
    top_ = margin + (title_.shown.empty() ? 0 : title_font + 2 * gap) + column_labels + gap;
    width_ = std::ceil(std::max(right, margin + title_.width) + margin);
    height_ = std::ceil(top_ + grid_height_ + 2 * gap + legend_height + gap + font + margin);
  }

  std::string svg() && {
    add("<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{0}\" height=\"{1}\" viewBox=\"0 0 {0} {1}\" role=\"img\">\n",
        width_, height_);
    add("<title>{}</title>\n<style>{}</style>\n", title_.whole, style);
    add("<rect class=\"paper\" width=\"{}\" height=\"{}\"/>\n", width_, height_);
    add("<text class=\"title\" x=\"{}\" y=\"{}\">{}</text>\n", margin, margin + title_font, title_.shown);
    add_labels();
    add_cells();
    add_legend();
    return std::move(svg_ += "</svg>\n");
  }

 private:
  double x(std::size_t column) const { return left_ + cell * static_cast<double>(column); }
  double y(std::size_t row) const { return top_ + cell * static_cast<double>(row); }

  template <class... Args>
  void add(fmt::format_string<Args...> format, Args&&... args) {
    fmt::format_to(std::back_inserter(svg_), format, std::forward<Args>(args)...);
  }

  void add_labels() {
    const double end = left_ - gap, bottom = top_ - gap;
    add("<text class=\"faint end\" x=\"{}\" y=\"{}\">{} →</text>\n", px(end), px(bottom - font - 3), column_axis_.shown);
    add("<text class=\"faint end\" x=\"{}\" y=\"{}\">{} ↓</text>\n", px(end), px(bottom), row_axis_.shown);
    for (std::size_t c = 0; c < columns_.size(); ++c) {
      add("<text x=\"{0}\" y=\"{1}\" transform=\"rotate(-45 {0} {1})\">{2}</text>\n", px(x(c) + cell / 2 + font / 4),
          px(bottom), columns_[c].shown);
    }
    for (std::size_t r = 0; r < rows_.size(); ++r) {
      add("<text class=\"end\" x=\"{}\" y=\"{}\">{}</text>\n", px(end), px(y(r) + cell / 2 + font / 3), rows_[r].shown);
    }
  }

  void add_cells() {
    add("<rect class=\"ground\" x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\"/>\n", px(left_), px(top_), grid_width_,
        grid_height_);
    for (std::size_t r = 0; r < rows_.size(); ++r) {
      for (std::size_t c = 0; c < columns_.size(); ++c) {
        const double weight = std::clamp(weights_[r * columns_.size() + c], 0.0, 1.0);
        add("<rect class=\"cell\" x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" fill-opacity=\"{:.3f}\">"
            "<title>{} ← {}: {:.3f}</title></rect>\n",
            px(x(c)), px(y(r)), cell, cell, weight, rows_[r].whole, columns_[c].whole, weight);
      }
    }
    add("<path class=\"lines\" d=\"M{} {}", px(left_), px(top_));
    for (std::size_t r = 1; r < rows_.size(); ++r) add("M{} {}h{}", px(left_), px(y(r)), grid_width_);
    for (std::size_t c = 1; c < columns_.size(); ++c) add("M{} {}v{}", px(x(c)), px(top_), grid_height_);
    add("\"/>\n");
  }

  void add_legend() {
    const double top = px(top_ + grid_height_ + 2 * gap), bottom = px(top + legend_height);
    add("<linearGradient id=\"scale\"><stop class=\"stop\" offset=\"0\" stop-opacity=\"0\"/>"
        "<stop class=\"stop\" offset=\"1\"/></linearGradient>\n");
    for (const char* fill : {"class=\"ground\"", "fill=\"url(#scale)\""}) {
      add("<rect {} x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\"/>\n", fill, px(left_), top, legend_width, legend_height);
    }
    add("<text class=\"faint end\" x=\"{}\" y=\"{}\">weight</text>\n", px(left_ - gap), bottom);
    for (const double mark : {0.0, 0.5, 1.0}) {
      add("<text class=\"faint middle\" x=\"{}\" y=\"{}\">{}</text>\n", px(left_ + mark * legend_width), px(bottom + font + 1),
          mark);
    }
  }

  const std::vector<double>& weights_;
  std::vector<Label> rows_, columns_;
  Label title_, row_axis_, column_axis_;
  double left_ = 0, top_ = 0, grid_width_ = 0, grid_height_ = 0, width_ = 0, height_ = 0;
  std::string svg_;
};

}  // namespace

std::string heat_map_svg(const HeatMap& map) {
  check_map(map);
  return Picture(map).svg();
}

void write_heat_map(const std::filesystem::path& path, const HeatMap& map) { write_atomically(path, heat_map_svg(map)); }

}  // namespace weft
