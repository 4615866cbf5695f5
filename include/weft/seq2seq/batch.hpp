#pragma once
#include <cstdint>
#include <span>
#include <vector>

#include "weft/tensor/tensor.hpp"

namespace weft::seq2seq {

/// Ids that every vocabulary here shares (text::Vocabulary::require_special_pieces).
inline constexpr std::int32_t pad_id = 0, unknown_id = 1, begin_id = 2, end_id = 3;

using TokenIds = std::vector<std::int32_t>;

/// Rows of token ids, padded to the longest: ids i32 [rows, columns], lengths i64 [rows]. Or rows of
/// something else and no ids: the frames of sounds, features [rows, columns, size], images [rows, columns, height, width].
struct Padded {
  Tensor ids, lengths;
  Tensor features = {};

  /// The ids, or the features.
  const Tensor& cells() const { return features.defined() ? features : ids; }
};
/// Throws ValueError for no rows or a row without tokens.
Padded pad(std::span<const TokenIds* const> rows);
/// The same of features [steps, ...] that differ in their steps alone, zeros behind a row's end. Also throws ShapeError,
/// DTypeError.
Padded pad_features(std::span<const Tensor> rows);

/// Sentence pairs for one training step. target_in starts with begin_id, target_out ends with
/// end_id: target_out[t] is what follows target_in[0..t].
struct Batch {
  Padded source;
  Tensor target_in, target_out;    ///< i32 [rows, steps]
  Tensor target_lengths;           ///< i64 [rows]: tokens of each row of target_out, end_id included
  std::int64_t target_tokens = 0;  ///< of target_out, without padding
};
/// Throws ValueError where the counts differ or are zero.
Batch make_batch(std::span<const TokenIds* const> source, std::span<const TokenIds* const> target);
Batch make_batch(const Padded& source, std::span<const TokenIds* const> target);

}  // namespace weft::seq2seq
