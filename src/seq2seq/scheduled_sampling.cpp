#include "weft/seq2seq/scheduled_sampling.hpp"

#include <limits>

#include "base/fail.hpp"
#include "weft/autograd/tape.hpp"
#include "weft/ops/dropout.hpp"
#include "weft/ops/reduce.hpp"

namespace weft::seq2seq {

Batch scheduled_sampling(Model& model, const Batch& batch, double share) {
  check<ValueError>(share >= 0 && share <= 1, "scheduled_sampling", "the share is {}; a probability from 0 to 1 is needed",
                    share);
  if (share == 0 || !model.training() || Tape::recording() == nullptr) return batch;
  const Tensor given = dropout(Tensor::ones(batch.target_in.shape(), f32), share).value();
  const NoGrad nothing_recorded;
  const Tensor logits = model(batch).value().clone();
  for (const std::int64_t never : {pad_id, begin_id})  // nor does a search say them
    logits.slice(2, never, never + 1).fill(-std::numeric_limits<double>::infinity());
  const Tensor likeliest = argmax(logits, 2);
  const Tensor lengths = batch.target_lengths.to(i64).contiguous();
  Batch mixed = batch;
  mixed.target_in = batch.target_in.clone();
  auto* token = mixed.target_in.mutable_data<std::int32_t>();
  const std::int64_t rows = batch.target_in.size(0), steps = batch.target_in.size(1);
  for (std::int64_t row = 0; row < rows; ++row)
    for (std::int64_t t = 1; t < lengths.data<std::int64_t>()[row]; ++t)
      if (given.data<float>()[row * steps + t] == 0)
        token[row * steps + t] = static_cast<std::int32_t>(likeliest.data<std::int64_t>()[row * steps + t - 1]);
  return mixed;
}

}  // namespace weft::seq2seq
