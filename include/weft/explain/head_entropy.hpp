#pragma once
#include "weft/autograd/var.hpp"

namespace weft::explain {

/// How spread each query's weights are: -sum over keys of w log w, in nats, 0 log 0 being 0. [..., keys] -> [...]; 0 where a
/// query looks at one key, log(keys) where it looks at all alike. Throws ShapeError for a scalar.
Var attention_entropy(const Var& weights);

/// The mean of that over the queries that count, for each head: weights [batch, heads, queries, keys] -> [heads]. With
/// `lengths` (i64 [batch]) those of a row's first queries alone. Throws ShapeError, ValueError for a length outside 0 to
/// queries or where no query counts.
Var head_entropy(const Var& weights, const Tensor& lengths = {});

}  // namespace weft::explain
