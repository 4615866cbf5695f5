#include "weft/seq2seq/forced_decoding.hpp"

#include <algorithm>

#include "base/fail.hpp"
#include "ops/lengths.hpp"
#include "seq2seq/decode_loop.hpp"
#include "weft/autograd/tape.hpp"
#include "weft/ops/shape.hpp"
#include "weft/ops/softmax.hpp"

namespace weft::seq2seq {
namespace {

constexpr const char* where = "forced_decoding";

Tensor lengths_of(const Tensor& lengths, const char* name, const Tensor& cells) {
  check<ValueError>(lengths.defined(), where, "the batch has no {} lengths", name);
  return checked_lengths(where, lengths, name, cells, 1);
}

}  // namespace

std::vector<ForcedDecoding> forced_decoding(Model& model, const Batch& batch) {
  const NoGrad nothing_recorded;
  check<ValueError>(model.attends(), where, "the model has no attention, whose weights are asked for");
  check<ValueError>(batch.target_in.defined() && batch.target_out.defined(), where, "the batch has no targets");
  check<ShapeError>(batch.target_out.rank() == 2 && batch.target_in.shape() == batch.target_out.shape(), where,
                    "inputs {} of the decoder don't fit targets {}: both must be [rows, steps]", batch.target_in,
                    batch.target_out);
  const Tensor said = lengths_of(batch.target_lengths, "target", batch.target_out),
               read = lengths_of(batch.source.lengths, "source", batch.source.cells());
  const Tensor targets = batch.target_out.to(i64).contiguous();
  const std::int64_t rows = targets.size(0), *length = said.data<std::int64_t>();
  const std::int64_t steps = rows == 0 ? 0 : *std::max_element(length, length + rows);
  check<ValueError>(steps <= model.max_target_length(), where,
                    "targets {} have {} steps; a target of this model has {} at most", batch.target_out, steps,
                    model.max_target_length());
  std::vector<ForcedDecoding> result(static_cast<std::size_t>(rows));
  const std::int64_t places = rows == 0 ? 0 : *std::max_element(read.data<std::int64_t>(), read.data<std::int64_t>() + rows);
  PoolVector<Var> weights;
  auto [memory, state] = model.encode(batch.source);
  for (std::int64_t t = 0; t < steps; ++t) {
    DecoderStep next = model.step(memory, state, batch.target_in.select(1, t).contiguous(), true);
    const Tensor scores = log_softmax(step_logits(where, model, next, rows), -1).value().to(f64).contiguous();
    const std::int64_t words = scores.size(1);
    for (std::int64_t row = 0; row < rows; ++row) {
      if (t >= said.data<std::int64_t>()[row]) continue;  // behind its end
      const std::int64_t token = targets.data<std::int64_t>()[row * targets.size(1) + t];
      check<IndexError>(token >= 0 && token < words, where, "token {} of row {} at step {} is outside 0..{}", token, row, t,
                        words - 1);
      result[static_cast<std::size_t>(row)].log_probabilities.push_back(scores.data<double>()[row * words + token]);
    }
    weights.push_back(step_weights(where, next, rows, places));
    state = std::move(next.state);
  }
  const Tensor all = weights.empty() ? Tensor::zeros({rows, 0, batch.source.cells().size(1)})
                                     : stack(weights, 1).value().to(f32);  // [rows, steps, source]
  for (std::int64_t row = 0; row < rows; ++row)
    result[static_cast<std::size_t>(row)].attention =
        all.select(0, row).slice(0, 0, said.data<std::int64_t>()[row]).slice(1, 0, read.data<std::int64_t>()[row]).clone();
  return result;
}

}  // namespace weft::seq2seq
