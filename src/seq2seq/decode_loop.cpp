#include "seq2seq/decode_loop.hpp"

#include <algorithm>

#include "base/fail.hpp"
#include "weft/autograd/tape.hpp"
#include "weft/ops/softmax.hpp"

namespace weft::seq2seq {
namespace {

Tensor index_of(const PoolVector<std::int64_t>& rows) {
  return Tensor::from<std::int64_t>(rows, {static_cast<std::int64_t>(rows.size())});
}

Tensor last_tokens(const std::vector<SentenceDecoder*>& live, std::size_t width) {
  Tensor tokens = Tensor::empty({static_cast<std::int64_t>(live.size() * width)}, i32);
  auto* place = tokens.mutable_data<std::int32_t>();
  for (const SentenceDecoder* sentence : live)
    for (std::size_t row = 0; row < width; ++row) *place++ = sentence->last_token(row);
  return tokens;
}

void check_prefix(const char* where, std::size_t row, const TokenIds& prefix, std::int64_t max_length,
                  std::int64_t vocabulary) {
  for (std::size_t t = 0; t < prefix.size(); ++t) {
    const std::int32_t id = prefix[t];
    check<ValueError>(id >= 0 && id < vocabulary, where, "prefix {} has the id {} at place {}, which is outside 0..{}", row, id,
                      t, vocabulary - 1);
    check<ValueError>(id != pad_id && id != begin_id && id != end_id, where,
                      "prefix {} has the id {} at place {}, which stands for {} and is no word", row, id, t,
                      id == pad_id     ? "padding"
                      : id == begin_id ? "the beginning"
                                       : "the end");
  }
  check<ValueError>(static_cast<std::int64_t>(prefix.size()) <= max_length, where,
                    "prefix {} has {} tokens, more than the max_length of {}", row, prefix.size(), max_length);
}

std::int64_t longest(const LengthLimit& limit, std::int64_t source, const TokenIds& prefix) {
  if (limit.max_length > 0) return limit.max_length;
  const auto by_ratio = static_cast<std::int64_t>(limit.ratio * static_cast<double>(source));
  return std::max<std::int64_t>(by_ratio + limit.offset, 1) + static_cast<std::int64_t>(prefix.size());
}

}  // namespace

Var step_logits(const char* where, Model& model, const DecoderStep& step, std::int64_t rows) {
  check<ValueError>(step.features.defined(), where, "a step of the model gave no features");
  check_rows(where, "a step's state", step.state.values, rows);
  Var logits = model.project(step.features);
  const std::int64_t words = model.target_vocabulary();
  check<ShapeError>(
      logits.rank() == 2 && logits.size(0) == rows && (model.copies() ? logits.size(1) >= words : logits.size(1) == words),
      where, "the model's logits {} of a step must be [{}, {}], a row for each token and a column for each word{}",
      logits.value(), rows, words, model.copies() ? " at least" : "");
  return logits;
}

void check_rows(const char* where, const char* what, const PoolVector<Var>& values, std::int64_t rows) {
  for (std::size_t i = 0; i < values.size(); ++i)
    check<ShapeError>(!values[i].defined() || (values[i].rank() >= 1 && values[i].size(0) == rows), where,
                      "value {} of {}, {}, must have {} rows", i, what, values[i].value(), rows);
}

Tensor step_weights(const char* where, const DecoderStep& step, std::int64_t rows, std::int64_t places) {
  check<ValueError>(step.weights.defined(), where, "the model attends, and a step gave no weights");
  check<ShapeError>(step.weights.rank() == 2 && step.weights.size(0) == rows && step.weights.size(1) >= places, where,
                    "the model's weights {} of a step must be [{}, {} or more], a row for each token and a column for each "
                    "place of the longest source",
                    step.weights.value(), rows, places);
  return step.weights.value().to(f32).contiguous();
}

std::vector<SentenceStart> sentence_starts(const char* where, const Model& model, const Padded& source,
                                           std::span<const TokenIds> prefixes, const LengthLimit& limit) {
  check<ValueError>(limit.max_length >= 0, where, "max_length is {}; it must not be negative", limit.max_length);
  const std::int64_t most = model.max_target_length();
  check<ValueError>(limit.max_length <= most, where, "max_length is {}; a target of this model has {} tokens at most",
                    limit.max_length, most);
  check<ValueError>(limit.ratio >= 0 && limit.ratio <= 1e6 && limit.offset >= 0 && limit.offset <= 1'000'000'000, where,
                    "max_length_ratio is {}, max_length_offset {}; they must not be negative, and at most 1e6 and 1e9",
                    limit.ratio, limit.offset);
  check<ValueError>(
      model.target_vocabulary() > end_id, where,
      "a target vocabulary of {} tokens; the first {} stand for padding, unknown words, the beginning and the end",
      model.target_vocabulary(), end_id + 1);
  const Tensor& cells = source.cells();
  check<ValueError>(cells.defined() && source.lengths.defined(), where, "the source has no {}",
                    cells.defined() ? "lengths" : "ids and no features");
  const char* const what = source.features.defined() ? "features" : "ids";
  check<ShapeError>((source.features.defined() ? cells.rank() >= 2 : cells.rank() == 2) &&
                        source.lengths.shape() == Shape{cells.size(0)} && source.lengths.dtype() == i64 &&
                        source.lengths.is_contiguous(),
                    where, "lengths {} don't fit {} {}: one i64 a row is needed", source.lengths, what, cells);
  const auto rows = static_cast<std::size_t>(cells.size(0));
  check<ValueError>(prefixes.empty() || prefixes.size() == rows, where, "{} prefixes for {} sentences; one for each is needed",
                    prefixes.size(), rows);
  std::vector<SentenceStart> starts;
  for (std::size_t row = 0; row < rows; ++row) {
    const std::int64_t length = source.lengths.data<std::int64_t>()[row];
    check<ValueError>(length >= 1 && length <= cells.size(1), where, "length {} of row {} is outside 1..{}, the columns",
                      length, row, cells.size(1));
    const TokenIds prefix = prefixes.empty() ? TokenIds() : prefixes[row];
    check_prefix(where, row, prefix, limit.max_length == 0 ? most : limit.max_length, model.target_vocabulary());
    starts.push_back({row, length, std::min(longest(limit, length, prefix), most), prefix});
  }
  return starts;
}

void decode(const char* where, Model& model, const Padded& source, std::int64_t width, bool attention,
            const std::vector<SentenceDecoder*>& sentences, AttentionSteps& weights) {
  check<ValueError>(!attention || model.attends(), where,
                    "attention weights or a coverage penalty are asked for, and the model has no attention");
  const NoGrad nothing_recorded;
  const auto rows_each = static_cast<std::size_t>(width);
  const std::int64_t* length = source.lengths.data<std::int64_t>();
  std::vector<std::int64_t> lengths(length, length + sentences.size());  // of those that live
  std::vector<SentenceDecoder*> live = sentences;
  PoolVector<std::int64_t> origins;  // each sentence's rows start from its one
  for (std::size_t s = 0; s < live.size(); ++s) origins.insert(origins.end(), rows_each, static_cast<std::int64_t>(s));
  auto [memory, state] = model.encode(source);
  check_rows(where, "the memory", memory.values, static_cast<std::int64_t>(live.size()));
  check_rows(where, "the first state", state.values, static_cast<std::int64_t>(live.size()));
  state = state.select(index_of(origins));
  for (std::int64_t step = 0; !live.empty(); ++step) {
    DecoderStep next = model.step(memory, state, last_tokens(live, rows_each), attention);
    const auto rows = static_cast<std::int64_t>(live.size() * rows_each);
    if (attention) weights.push_back(step_weights(where, next, rows, *std::max_element(lengths.begin(), lengths.end())));
    const Tensor scores = log_softmax(step_logits(where, model, next, rows), -1).value().to(f32).contiguous();
    PoolVector<std::int64_t> parents, stay;  // rows to go on from; sentences to go on with
    std::vector<SentenceDecoder*> remaining;
    std::vector<std::int64_t> remaining_lengths;
    for (std::size_t s = 0; s < live.size(); ++s) {
      const auto first = static_cast<std::int64_t>(s) * width;
      const std::vector<std::size_t> chosen =
          live[s]->advance({step, first, scores.data<float>() + first * scores.size(1), scores.size(1)});
      if (chosen.empty()) continue;
      stay.push_back(static_cast<std::int64_t>(s));
      for (const std::size_t row : chosen) parents.push_back(first + static_cast<std::int64_t>(row));
      remaining.push_back(live[s]);
      remaining_lengths.push_back(lengths[s]);
    }
    if (remaining.size() < live.size() && !remaining.empty()) memory = memory.select(index_of(stay));
    live = std::move(remaining);
    lengths = std::move(remaining_lengths);
    if (!live.empty()) state = next.state.select(index_of(parents));
  }
}

}  // namespace weft::seq2seq
