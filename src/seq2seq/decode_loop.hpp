#pragma once
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "seq2seq/token_tree.hpp"
#include "weft/seq2seq/model.hpp"

namespace weft::seq2seq {

/// That a model is asked for at once for one sentence.
constexpr std::int64_t most_rows = 1'000'000;

/// What the model says of one sentence's rows at one step.
struct SentenceStep {
  std::int64_t step;               // 0 at the first token
  std::int64_t first_row;          // of the sentence, among those of all
  const float* log_probabilities;  // [width, vocabulary]
  std::int64_t vocabulary;

  const float* row(std::size_t i) const { return log_probabilities + static_cast<std::int64_t>(i) * vocabulary; }
};

/// One sentence while it is decoded, in `width` rows: what a way of decoding makes of each step.
class SentenceDecoder {
 public:
  virtual ~SentenceDecoder() = default;
  virtual std::int32_t last_token(std::size_t row) const = 0;
  /// Moves the sentence one token on: which row each row goes on from, 0 to width - 1; nothing when the sentence has ended.
  virtual std::vector<std::size_t> advance(const SentenceStep& step) = 0;
};

/// Where a way of decoding starts.
struct SentenceStart {
  std::size_t index;  // the row of the source
  std::int64_t source_length, max_length;
  TokenIds prefix;
};

/// The most tokens of what is decoded: max_length, or, where that is 0, `ratio` times the source's and `offset` more, one at
/// least, beside those of the prefix.
struct LengthLimit {
  std::int64_t max_length = 0;
  double ratio = 2;
  std::int64_t offset = 10;
};

/// One for each row. Throws ShapeError for lengths that don't fit the ids, ValueError for prefixes and limits that can't be
/// with this model.
std::vector<SentenceStart> sentence_starts(const char* where, const Model& model, const Padded& source,
                                           std::span<const TokenIds> prefixes, const LengthLimit& limit);

/// A model may be anybody's: what it gives is read by rows, and checked first. Each throws ShapeError for what doesn't fit,
/// ValueError for what isn't there.
/// Logits [rows, words] of a step of `rows` tokens.
Var step_logits(const char* where, Model& model, const DecoderStep& step, std::int64_t rows);
/// Its weights, dense f32 [rows, places or more].
Tensor step_weights(const char* where, const DecoderStep& step, std::int64_t rows, std::int64_t places);
/// That the values which are there have so many rows.
void check_rows(const char* where, const char* what, const PoolVector<Var>& values, std::int64_t rows);

/// Runs the model until every sentence has ended; sentences[i] is row i of the source. With `attention` each step's weights go
/// to `weights` before the sentences advance. Nothing is recorded. Throws ValueError for a model without attention then.
void decode(const char* where, Model& model, const Padded& source, std::int64_t width, bool attention,
            const std::vector<SentenceDecoder*>& sentences, AttentionSteps& weights);

}  // namespace weft::seq2seq
