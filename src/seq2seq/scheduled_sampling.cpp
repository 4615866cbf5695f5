#include "weft/seq2seq/scheduled_sampling.hpp"

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
  const Tensor likeliest = argmax(model(batch), 2);
  Batch mixed = batch;
  mixed.target_in = batch.target_in.clone();
  auto* token = mixed.target_in.mutable_data<std::int32_t>();
  const std::int64_t rows = batch.target_in.size(0), steps = batch.target_in.size(1);
  for (std::int64_t row = 0; row < rows; ++row)
    for (std::int64_t t = 1; t < batch.target_lengths.data<std::int64_t>()[row]; ++t)
      if (given.data<float>()[row * steps + t] == 0)
        token[row * steps + t] = static_cast<std::int32_t>(likeliest.data<std::int64_t>()[row * steps + t - 1]);
  return mixed;
}

}  // namespace weft::seq2seq
