#pragma once
#include "weft/report/report.hpp"

namespace weft::test {

/// A page with a figure of every kind, all of it made by formulas: what tests open and the documents show.
report::Report sample_report();

}  // namespace weft::test
