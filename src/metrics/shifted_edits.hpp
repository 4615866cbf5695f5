#pragma once
#include <cstdint>
#include <vector>

namespace weft::metrics {

/// Edits that turn `hypothesis` into `reference`: stretches moved, one edit each, and then words inserted, deleted and
/// replaced. Moves are chosen greedily, each the one that saves most, with the order of preference and the limits of Tercom as
/// sacreBLEU has them. Words are given as numbers.
std::int64_t shifted_edits(const std::vector<int>& hypothesis, const std::vector<int>& reference);

}  // namespace weft::metrics
