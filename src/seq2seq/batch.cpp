#include "weft/seq2seq/batch.hpp"

#include <algorithm>

#include "base/fail.hpp"

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

}  // namespace

Padded pad(std::span<const TokenIds* const> rows) {
  check<ValueError>(!rows.empty(), "pad", "no rows to make a batch of");
  const std::int64_t count = static_cast<std::int64_t>(rows.size()), columns = longest(rows);
  Padded result{fill_rows(rows, columns, -1, -1), Tensor::empty({count}, i64), Tensor::empty({count, columns}, boolean)};
  auto* lengths = result.lengths.mutable_data<std::int64_t>();
  bool* mask = result.mask.mutable_data<bool>();
  for (std::size_t r = 0; r < rows.size(); ++r) {
    const auto length = static_cast<std::int64_t>(rows[r]->size());
    check<ValueError>(length > 0, "pad", "row {} has no tokens", r);
    lengths[r] = length;
    for (std::int64_t j = 0; j < columns; ++j) *mask++ = j < length;
  }
  return result;
}

Batch make_batch(std::span<const TokenIds* const> source, std::span<const TokenIds* const> target) {
  check<ValueError>(source.size() == target.size(), "make_batch", "{} source rows but {} target rows", source.size(),
                    target.size());
  const std::int64_t columns = longest(target) + 1;
  Batch batch{pad(source), fill_rows(target, columns, begin_id, -1), fill_rows(target, columns, -1, end_id),
              Tensor::empty({static_cast<std::int64_t>(target.size())}, i64), 0};
  auto* length = batch.target_lengths.mutable_data<std::int64_t>();
  for (const TokenIds* tokens : target) {
    *length = static_cast<std::int64_t>(tokens->size()) + 1;
    batch.target_tokens += *length++;
  }
  return batch;
}

}  // namespace weft::seq2seq
