#include "weft/ops/embedding.hpp"

#include "base/fail.hpp"
#include "kernels/rows.hpp"
#include "tensor/copy.hpp"
#include "weft/autograd/record.hpp"
#include "weft/ops/elementwise.hpp"
#include "weft/ops/shape.hpp"

namespace weft {
namespace {

// index != padding, with one dimension of size 1 for each of a row's, so that it broadcasts to the looked-up rows.
Tensor kept_rows(const Tensor& index, std::int64_t padding, int row_rank) {
  Tensor kept = Tensor::empty(index.shape(), boolean);
  const Tensor wide = index.to(i64).contiguous();
  bool* flag = kept.mutable_data<bool>();
  for (std::int64_t i = 0; i < wide.numel(); ++i) flag[i] = wide.data<std::int64_t>()[i] != padding;
  for (int i = 0; i < row_rank; ++i) kept = kept.unsqueeze(-1);
  return kept;
}

}  // namespace

Var embedding(const Var& table, const Tensor& index, std::optional<std::int64_t> padding_idx) {
  check<ShapeError>(table.rank() >= 1, "embedding", "the table has no rows: its shape is {}", table.shape());
  check<IndexError>(!padding_idx || (*padding_idx >= 0 && *padding_idx < table.size(0)), "embedding",
                    "padding_idx {} is outside the table {}", padding_idx.value_or(0), table.shape());
  return record("embedding", kernels::gather_rows(table.value(), index, "embedding"), {&table},
                [words = Saved(index), padding_idx, row_rank = table.rank() - 1](Sink& s) {
                  Var g = s.grad();
                  if (padding_idx) g = where(kept_rows(words.value(), *padding_idx, row_rank), g, Var::scalar(0, g.dtype()));
                  s.add_rows(0, words.value(), g);
                });
}

}  // namespace weft
