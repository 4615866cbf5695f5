#pragma once
#include <cstdint>

#include "weft/ops/attention.hpp"

namespace weft {

/// What stands at keys that a mask closes to all queries: anything, NaN included, or only what is finite and needn't be
/// cleared.
enum class Closed : std::uint8_t { anything, finite };

/// scaled_dot_product_attention of a batch of which each row has been made `each` rows, one behind the other: what dropout
/// draws goes by the batch's rows.
AttentionResult folded_attention(const Var& query, const Var& key, const Var& value, const AttentionMask& mask,
                                 const AttentionOptions& options, std::int64_t each, Closed closed);

}  // namespace weft
