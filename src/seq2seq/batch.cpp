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

std::int64_t longest(std::span<const TokenIds* const> rows) {
  std::size_t most = 0;
  for (const TokenIds* tokens : rows) most = std::max(most, tokens->size());
  return static_cast<std::int64_t>(most);
}

// True before each row's length.
Tensor mask_of(const PoolVector<std::int64_t>& lengths, std::int64_t columns) {
  Tensor result = Tensor::empty({static_cast<std::int64_t>(lengths.size()), columns}, boolean);
  bool* mask = result.mutable_data<bool>();
  for (const std::int64_t length : lengths)
    for (std::int64_t j = 0; j < columns; ++j) *mask++ = j < length;
  return result;
}

}  // namespace

Padded pad(std::span<const TokenIds* const> rows) {
  check<ValueError>(!rows.empty(), "pad", "no rows to make a batch of");
  PoolVector<std::int64_t> lengths;
  for (std::size_t r = 0; r < rows.size(); ++r) {
    check<ValueError>(!rows[r]->empty(), "pad", "row {} has no tokens", r);
    lengths.push_back(static_cast<std::int64_t>(rows[r]->size()));
  }
  const std::int64_t columns = longest(rows);
  return {fill_rows(rows, columns, -1, -1), Tensor::from<std::int64_t>(lengths, {static_cast<std::int64_t>(rows.size())}),
          mask_of(lengths, columns)};
}

Padded pad_vectors(std::span<const Tensor> rows) {
  check<ValueError>(!rows.empty(), "pad_vectors", "no rows to make a batch of");
  PoolVector<std::int64_t> lengths;
  for (std::size_t r = 0; r < rows.size(); ++r) {
    check<DTypeError>(rows[r].dtype() == f32, "pad_vectors", "row {} is {}; f32 is needed", r, rows[r]);
    check<ShapeError>(rows[r].rank() == 2 && rows[r].size(1) == rows[0].size(1), "pad_vectors",
                      "row {} is {}, which isn't [steps, size] of one size for all (row 0: {})", r, rows[r], rows[0]);
    check<ValueError>(rows[r].size(0) > 0, "pad_vectors", "row {} has no steps", r);
    lengths.push_back(rows[r].size(0));
  }
  const auto count = static_cast<std::int64_t>(rows.size());
  const std::int64_t columns = *std::max_element(lengths.begin(), lengths.end());
  Tensor vectors = Tensor::zeros({count, columns, rows[0].size(1)});
  for (std::int64_t r = 0; r < count; ++r) {
    const Tensor& row = rows[static_cast<std::size_t>(r)];
    vectors.select(0, r).slice(0, 0, row.size(0)).copy_from(row);
  }
  return {Tensor(), Tensor::from<std::int64_t>(lengths, {count}), mask_of(lengths, columns), vectors};
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
  const std::int64_t columns = longest(target) + 1;
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
