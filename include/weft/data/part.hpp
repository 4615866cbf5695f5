#pragma once
#include <cstdint>

#include "weft/base/random.hpp"

namespace weft::data {

/// What data that are drawn from a seed are for.
enum class Part : std::uint8_t { training, validation, test };

/// The seed of a part's draws: each part has its own, so that nothing is tested on what was drawn to learn from.
inline std::uint64_t seed_of(std::uint64_t seed, Part part) {
  if (part == Part::training) return seed;
  return seed ^ hash_of(part == Part::validation ? "validation" : "test");
}

}  // namespace weft::data
