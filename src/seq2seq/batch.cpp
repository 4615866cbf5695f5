#include "weft/seq2seq/batch.hpp"

#include <algorithm>

#include "base/fail.hpp"
#include "weft/tensor/pool_vector.hpp"

namespace weft::seq2seq {
namespace {

// Row r gets before..., its ids, after... (each a token, or -1 for none), then padding.
Tensor fill_rows(std::span<const TokenIds* const> rows, std::int64_t columns, std::int32_t before, std::int32_t after) {
  Tensor ids = Tensor::zeros({static_cast<std::int64_t>(rows.size()), columns}, i32);
  static_assert(pad_id == 0);
  std::int32_t* row = ids.mutable_data<std::int32_t>();
  for (const TokenIds* tokens : rows) {
    std::int32_t* place = row;
    if (before >= 0) *place++ = before;
    place = std::copy(tokens->begin(), tokens->end(), place);
    if (after >= 0) *place = after;
    row += columns;
  }
  return ids;
}

std::int64_t longest(const char* op, std::span<const TokenIds* const> rows) {
  std::size_t most = 0;
  for (std::size_t r = 0; r < rows.size(); ++r) {
    check<ValueError>(rows[r] != nullptr, op, "row {} is a null pointer", r);
    most = std::max(most, rows[r]->size());
  }
  return static_cast<std::int64_t>(most);
}

// Lengths of rows of `length_of(r)` of `what`.
template <class LengthOf>
Padded padded(const char* op, const char* what, std::size_t rows, LengthOf length_of) {
  const auto count = static_cast<std::int64_t>(rows);
  Padded result{{}, Tensor::empty({count}, i64)};
  auto* lengths = result.lengths.mutable_data<std::int64_t>();
  for (std::size_t r = 0; r < rows; ++r) {
    const std::int64_t length = length_of(r);
    check<ValueError>(length > 0, op, "row {} has no {}", r, what);
    lengths[r] = length;
  }
  return result;
}

}  // namespace

Padded pad(std::span<const TokenIds* const> rows) {
  check<ValueError>(!rows.empty(), "pad", "no rows to make a batch of");
  const std::int64_t columns = longest("pad", rows);
  Padded result =
      padded("pad", "tokens", rows.size(), [&](std::size_t r) { return static_cast<std::int64_t>(rows[r]->size()); });
  result.ids = fill_rows(rows, columns, -1, -1);
  return result;
}

Padded pad_features(std::span<const Tensor> rows) {
  check<ValueError>(!rows.empty(), "pad_features", "no rows to make a batch of");
  const Tensor& first = rows[0];
  std::int64_t columns = 0;
  for (std::size_t r = 0; r < rows.size(); ++r) {
    check<ShapeError>(rows[r].rank() >= 1 && rows[r].shape() == first.shape().with(0, rows[r].size(0)), "pad_features",
                      "row {} is {} and row 0 {}: they may differ in their first size alone", r, rows[r], first);
    check<DTypeError>(rows[r].dtype() == first.dtype(), "pad_features", "row {} is {} and row 0 {}: one dtype is needed", r,
                      rows[r], first);
    columns = std::max(columns, rows[r].size(0));
  }
  const auto count = static_cast<std::int64_t>(rows.size());
  Padded result = padded("pad_features", "steps", rows.size(), [&](std::size_t r) { return rows[r].size(0); });
  result.features = Tensor::zeros(first.shape().with(0, columns).with_inserted(0, count), first.dtype());
  for (std::int64_t r = 0; r < count; ++r) {
    const Tensor& row = rows[static_cast<std::size_t>(r)];
    result.features.select(0, r).slice(0, 0, row.size(0)).copy_from(row);
  }
  return result;
}

Batch make_batch(std::span<const TokenIds* const> source, std::span<const TokenIds* const> target) {
  check<ValueError>(source.size() == target.size(), "make_batch", "{} source rows but {} target rows", source.size(),
                    target.size());
  return make_batch(pad(source), target);
}

Batch make_batch(const Padded& source, std::span<const TokenIds* const> target) {
  const std::int64_t rows = source.cells().size(0);
  check<ValueError>(rows == static_cast<std::int64_t>(target.size()), "make_batch", "{} source rows but {} target rows", rows,
                    target.size());
  const std::int64_t columns = longest("make_batch", target) + 1;
  Batch batch{source, fill_rows(target, columns, begin_id, -1), fill_rows(target, columns, -1, end_id),
              Tensor::empty({static_cast<std::int64_t>(target.size())}, i64), 0};
  auto* length = batch.target_lengths.mutable_data<std::int64_t>();
  for (const TokenIds* tokens : target) {
    *length = static_cast<std::int64_t>(tokens->size()) + 1;
    batch.target_tokens += *length++;
  }
  return batch;
}

}  // namespace weft::seq2seq
