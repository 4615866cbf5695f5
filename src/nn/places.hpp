#pragma once
#include <cstdint>

namespace weft::nn {

/// The place behind `places` ones from `first` on. Throws ValueError for numbers that can't be.
std::int64_t checked_end(const char* op, std::int64_t first, std::int64_t places);

}  // namespace weft::nn
