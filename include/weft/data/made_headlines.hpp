#pragma once
#include <cstdint>

#include "weft/data/parallel_text.hpp"

namespace weft::data {

/// Short news (source) with their headlines (target), made of a few patterns with invented names and numbers that hardly ever
/// come twice: whoever can't copy words can't write the headlines. The same seed gives the same stories, fewer of them the
/// first ones. ValueError for a negative count.
ParallelText make_headlines(std::int64_t count, std::uint64_t seed);

}  // namespace weft::data
