#include "weft/nn/relative_position.hpp"

#include <algorithm>
#include <cmath>

#include "base/fail.hpp"
#include "ops/distances.hpp"
#include "weft/ops/arrange.hpp"
#include "weft/ops/index.hpp"
#include "weft/ops/matmul.hpp"
#include "weft/ops/shape.hpp"

namespace weft::nn {
namespace {

// row(distance) for each distance of a key from a query, -(keys - 1) to queries - 1, as an index. The last query stands at the
// last key's place, the first one at keys - queries.
template <class Row>
Tensor rows_by_distance(std::int64_t queries, std::int64_t keys, const Row& row) {
  const std::int64_t count = std::max<std::int64_t>(queries + keys - 1, 0);
  Tensor index = Tensor::empty({count}, i64);
  auto* to = index.mutable_data<std::int64_t>();
  for (std::int64_t r = 0; r < count; ++r) to[r] = row(r - (keys - 1));
  return index;
}

}  // namespace

RelativePositions::RelativePositions(const RelativePositionsOptions& options, const Scope& scope)
    : Module(scope), head_dim_(options.head_dim), max_distance_(options.max_distance) {
  check<ValueError>(head_dim_ > 0 && max_distance_ > 0 && max_distance_ <= most_places, "RelativePositions",
                    "head_dim is {} and max_distance {}; both must be positive, the distance at most {}", head_dim_,
                    max_distance_, most_places);
  const Shape shape{2 * max_distance_ + 1, head_dim_};
  key = Weight(this, "key", shape, options.weight_init);
  value = Weight(this, "value", shape, options.weight_init);
}

Var RelativePositions::rows(const Weight& weight, std::int64_t queries, std::int64_t keys) const {
  return index_select(weight, 0, rows_by_distance(queries, keys, [this](std::int64_t distance) {
                        return std::clamp(distance, -max_distance_, max_distance_) + max_distance_;
                      }));
}

Var RelativePositions::forward(const Var& query, std::int64_t keys) {
  constexpr const char* op = "RelativePositions";
  check<ValueError>(query.defined(), op, "the query isn't given");
  check<ShapeError>(query.rank() == 4 && query.size(3) == head_dim_, op, "query {} is not [batch, heads, queries, {}]",
                    query.value(), head_dim_);
  check_distances(op, query.size(2), keys);
  return by_key(matmul(query, transpose(rows(key, query.size(2), keys), 0, 1)), keys);
}

Var RelativePositions::values(const Var& weights) {
  const ModuleScope scope(*this);
  check<ValueError>(weights.defined(), "RelativePositions", "the weights aren't given");
  check<ShapeError>(weights.rank() == 4, "RelativePositions", "weights {} are not [batch, heads, queries, keys]",
                    weights.value());
  return matmul(by_distance(weights), rows(value, weights.size(2), weights.size(3)));
}

RelativeBias::RelativeBias(const RelativeBiasOptions& options, const Scope& scope) : Module(scope), options_(options) {
  constexpr const char* op = "RelativeBias";
  check<ValueError>(options.num_heads > 0, op, "num_heads is {}; one at least is needed", options.num_heads);
  const std::int64_t one_way = options.bidirectional ? options.num_buckets / 2 : options.num_buckets;
  check<ValueError>(one_way >= 2 && (!options.bidirectional || options.num_buckets % 2 == 0), op,
                    "num_buckets is {}; {} is needed", options.num_buckets,
                    options.bidirectional ? "an even number, 4 or more" : "2 or more");
  check<ValueError>(options.max_distance > one_way / 2, op,
                    "max_distance is {}; it must be above the {} distances that have a "
                    "bucket each",
                    options.max_distance, one_way / 2);
  weight = Weight(this, "weight", Shape{options.num_buckets, options.num_heads}, options.weight_init);
}

std::int64_t RelativeBias::bucket(std::int64_t distance) const {
  std::int64_t count = options_.num_buckets, start = 0;
  const auto size = static_cast<std::uint64_t>(distance);  // of the smallest number too, which has no opposite
  std::uint64_t away = distance < 0 ? 0 - size : size;
  if (options_.bidirectional) {
    count /= 2;
    if (distance > 0) start = count;
  } else if (distance > 0) {
    away = 0;
  }
  const std::int64_t exact = count / 2;
  if (away < static_cast<std::uint64_t>(exact)) return start + static_cast<std::int64_t>(away);
  const double share = std::log(static_cast<double>(away) / static_cast<double>(exact)) /
                       std::log(static_cast<double>(options_.max_distance) / static_cast<double>(exact));
  // Not beyond the last before it becomes a whole number: a distance may be as large as numbers are.
  const double wider = std::min(share * static_cast<double>(count - exact), static_cast<double>(count - exact - 1));
  return start + exact + static_cast<std::int64_t>(wider);
}

Var RelativeBias::by_distance(std::int64_t queries, std::int64_t keys) {
  const ModuleScope scope(*this);
  check_distances("RelativeBias", queries, keys);
  const Var rows =
      index_select(weight, 0, rows_by_distance(queries, keys, [this](std::int64_t distance) { return bucket(distance); }));
  return transpose(rows, 0, 1);
}

Var RelativeBias::forward(std::int64_t queries, std::int64_t keys) {
  return unsqueeze(spread(by_distance(queries, keys), queries, keys), 0);
}

}  // namespace weft::nn
