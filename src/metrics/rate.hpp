#pragma once

namespace weft::metrics {

/// 100 * errors / length; without a reference, 0 for what has no errors, else 100, as sacreBLEU has it.
inline double rate(double errors, double length) { return length > 0 ? 100 * errors / length : errors > 0 ? 100 : 0; }

}  // namespace weft::metrics
