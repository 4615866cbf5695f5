#pragma once
#include <cstdint>

#include "weft/autograd/var.hpp"

namespace weft {

// What queries have for keys, by the keys' distance from the query, -(keys - 1) to queries - 1 in this order where the last
// query stands at the last key's place.

/// Far behind every place; sums of a few don't overflow.
inline constexpr std::int64_t most_places = std::int64_t{1} << 40;
/// Throws ValueError for a number below 0 or above most_places.
void check_distances(const char* op, std::int64_t queries, std::int64_t keys);

/// [..., queries, queries + keys - 1] by distance -> [..., queries, keys]
Var by_key(const Var& by_distance, std::int64_t keys);
/// [..., queries, keys] -> by distance, 0 where a query has no key of that distance.
Var by_distance(const Var& by_key);
/// The same for all queries: [rows, queries + keys - 1] by distance -> [rows, queries, keys].
Var spread(const Var& by_distance, std::int64_t queries, std::int64_t keys);

/// How far each key stands from each query: [queries, keys].
Tensor distance_table(std::int64_t queries, std::int64_t keys, DType dtype);

}  // namespace weft
