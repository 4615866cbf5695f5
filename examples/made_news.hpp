#pragma once
#include <cstdint>

#include "weft/data/made_headlines.hpp"
#include "weft/data/part.hpp"

/// News made here, to try a summarizer on.
namespace made_news {

/// What a quick run learns from and is validated on.
inline weft::data::ParallelText for_training(std::uint64_t seed) { return weft::data::make_headlines(1600, seed); }

/// What quick runs of any seed that people choose are scored by: none has seen them.
inline weft::data::ParallelText for_testing() {
  return weft::data::make_headlines(100, weft::data::seed_of(1, weft::data::Part::test));
}

}  // namespace made_news
