#pragma once
// Weights and data that two programs can make alike.
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace bench {

/// Even in [-1, 1), a function of the name and the place alone; a multiple of 2^-23, so that it is the same in float.
double value_of(std::string_view name, std::int64_t place);

/// First value of a parameter's element, in PyTorch's layout: within 1 / sqrt(inputs) for a weight of two or more dimensions;
/// 1 +- 0.1 for a vector called weight (layer norm's); +- 0.1 for another vector.
double first_value(std::string_view name, std::span<const std::int64_t> sizes, std::int64_t place);

using Rows = std::vector<std::vector<std::int32_t>>;
/// Token ids from 4 on; row i has `length` - i mod 5 of them.
Rows token_rows(std::int64_t rows, std::int64_t length, std::int64_t vocabulary, std::int64_t seed);
/// One token id, from 0 on.
std::int64_t token_of(std::int64_t place, std::int64_t vocabulary, std::int64_t seed);

/// Ids that padding, and beginning and end of a sentence have.
inline constexpr std::int32_t pad_id = 0, begin_id = 2, end_id = 3;

/// Even between `least` and `most`, in a mixed order.
std::vector<std::int64_t> even_lengths(std::int64_t rows, std::int64_t least, std::int64_t most);

}  // namespace bench
