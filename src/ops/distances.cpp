#include "ops/distances.hpp"

#include <algorithm>

#include "base/fail.hpp"
#include "weft/ops/arrange.hpp"
#include "weft/ops/shape.hpp"

namespace weft {

void check_distances(const char* op, std::int64_t queries, std::int64_t keys) {
  check<ValueError>(std::min(queries, keys) >= 0 && std::max(queries, keys) <= most_places, op,
                    "{} queries and {} keys; neither can be negative or more than {}", queries, keys, most_places);
}

// Row by row, element (i, j - i + queries - 1) stands at i (queries + keys - 2) + j + queries - 1: behind the first queries - 1
// elements the rows of a matrix with one column less begin with what each query has for its keys.

Var by_key(const Var& by_distance, std::int64_t keys) {
  const std::int64_t queries = by_distance.size(-2), width = queries + keys - 1;
  if (queries == 0) return reshape(by_distance, by_distance.shape().with(by_distance.rank() - 1, keys));
  if (queries == 1) return by_distance;
  const Shape flat = by_distance.shape().without(by_distance.rank() - 1).with(by_distance.rank() - 2, queries * width);
  const Var rest = slice(reshape(by_distance, flat), -1, queries - 1, queries - 1 + queries * (width - 1));
  return slice(reshape(rest, by_distance.shape().with(by_distance.rank() - 1, width - 1)), -1, 0, keys);
}

Var by_distance(const Var& by_key) {
  const std::int64_t queries = by_key.size(-2), keys = by_key.size(-1), width = queries + keys - 1;
  const int last = by_key.rank() - 1;
  if (queries == 0) return reshape(by_key, by_key.shape().with(last, std::max<std::int64_t>(width, 0)));
  if (queries == 1) return by_key;
  const Var wide = pad(by_key, {0, queries - 2});
  const Var flat = pad(reshape(wide, by_key.shape().without(last).with(last - 1, queries * (width - 1))), {queries - 1, 1});
  return reshape(flat, by_key.shape().with(last, width));
}

Var spread(const Var& by_distance, std::int64_t queries, std::int64_t keys) {
  if (queries == 0 || keys == 0) return Tensor::zeros({by_distance.size(0), queries, keys}, by_distance.dtype());
  // The last query sees the distances from the first, the one before it those from the second, ...
  return flip(unfold(by_distance, 1, keys, 1), 1);
}

Tensor distance_table(std::int64_t queries, std::int64_t keys, DType dtype) {
  Tensor result = Tensor::empty({queries, keys}, dtype);
  const auto fill = [&]<class T>(T* to) {
    for (std::int64_t i = keys - queries; i < keys; ++i)
      for (std::int64_t j = 0; j < keys; ++j) *to++ = static_cast<T>(i > j ? i - j : j - i);
  };
  dtype == f64 ? fill(result.mutable_data<double>()) : fill(result.mutable_data<float>());
  return result;
}

}  // namespace weft
