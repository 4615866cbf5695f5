#pragma once
#include <cstdint>

#include "weft/tensor/tensor.hpp"

namespace weft::nn {

/// The slope of each head (Press et al. 2022), [heads]: 2^(-8/n), 2^(-16/n), ... for n heads, a power of 2; for other numbers
/// those of the power below and then every second one of the power above, as the authors' code has it.
/// Throws ValueError for heads below 1, DTypeError for others than f32 and f64.
Tensor alibi_slopes(std::int64_t heads, DType dtype = f32);

/// What ALiBi adds to the scores by the key's distance from the query, as scaled_dot_product_attention takes it: [heads,
/// queries + keys - 1]. Throws ValueError for heads below 1 or a negative count, DTypeError.
Tensor alibi_by_distance(std::int64_t heads, std::int64_t queries, std::int64_t keys, DType dtype = f32);

/// The same for each query and key, [1, heads, queries, keys]: -slope |i - j|, where the last query stands at the last key's
/// place. The paper's is the causal half of it. Throws ValueError for heads below 1 or a negative count, DTypeError.
Tensor alibi(std::int64_t heads, std::int64_t queries, std::int64_t keys, DType dtype = f32);

}  // namespace weft::nn
