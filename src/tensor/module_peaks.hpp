#pragma once

namespace weft::detail {

/// The peaks by module start again from what is in use.
void reset_module_peaks();

}  // namespace weft::detail
