#pragma once
#include "weft/ops/attention.hpp"

namespace weft {

/// scaled_dot_product_attention of a batch of which each row has been made `each` rows, one behind the other: what dropout
/// draws goes by the batch's rows.
AttentionResult folded_attention(const Var& query, const Var& key, const Var& value, const AttentionMask& mask,
                                 const AttentionOptions& options, std::int64_t each);

}  // namespace weft
