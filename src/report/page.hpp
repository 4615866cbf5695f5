#pragma once
#include <string_view>

namespace weft::report {

// What every page holds.
extern const std::string_view page_style;
extern const std::string_view script_basics;   // elements, numbers, colours, the tooltip
extern const std::string_view script_maps;     // heat maps, with a spectrogram or frames above them
extern const std::string_view script_figures;  // curves, shaded text; draws the page

}  // namespace weft::report
