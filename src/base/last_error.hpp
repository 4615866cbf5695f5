#pragma once
#include <cerrno>

namespace weft {

/// errno, set to 0 before, of what has failed; where it says nothing, as after a file that got shorter, that input or output
/// did.
inline int last_error() { return errno != 0 ? errno : EIO; }

}  // namespace weft
