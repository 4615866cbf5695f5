#include "weft/seq2seq/model.hpp"

#include <numeric>

#include "base/fail.hpp"
#include "ops/lengths.hpp"
#include "weft/ops/index.hpp"
#include "weft/ops/loss.hpp"
#include "weft/ops/shape.hpp"

namespace weft::seq2seq {
namespace {

Var rows_of(const Var& x, const Tensor& index) { return x.defined() ? index_select(x, 0, index) : x; }

PoolVector<Var> chosen(const PoolVector<Var>& values, const Tensor& index) {
  PoolVector<Var> result;
  for (const Var& value : values) result.push_back(rows_of(value, index));
  return result;
}

}  // namespace

DecoderMemory DecoderMemory::select(const Tensor& index) const {
  return {chosen(values, index), rows_of(lengths, index).value(), parts};
}

DecoderState DecoderState::select(const Tensor& index) const { return {chosen(values, index), parts}; }

Batch Model::checked_batch(const Batch& batch) {
  const Tensor &source = batch.source.cells(), &in = batch.target_in, &out = batch.target_out;
  check<ValueError>(source.defined() && in.defined() && out.defined(), "Model", "the batch has no {}",
                    !source.defined() ? "source"
                    : in.defined()    ? "target_out"
                                      : "target_in");
  check<ShapeError>(
      in.rank() == 2 && in.shape() == out.shape() && source.rank() >= 2 && source.size(0) == in.size(0), "Model",
      "source {}, target_in {} and target_out {}: as many rows of each and one shape [rows, steps] of both targets "
      "are needed",
      source, in, out);
  check<DTypeError>(in.dtype() == i32 && out.dtype() == i32, "Model", "target_in {} and target_out {} must be i32", in, out);
  Batch checked = batch;
  checked.target_lengths = checked_lengths("Model", batch.target_lengths, "target", batch.target_out, 1);
  check<ValueError>(checked.target_lengths.defined(), "Model", "the batch has no target lengths");
  const std::int64_t* length = checked.target_lengths.data<std::int64_t>();
  const std::int64_t tokens = std::accumulate(length, length + checked.target_lengths.numel(), std::int64_t{0});
  check<ValueError>(tokens == batch.target_tokens && tokens > 0, "Model", "the target's rows have {} tokens, the batch says {}",
                    tokens, batch.target_tokens);
  return checked;
}

Model::Reading Model::at_tokens(const Var& all, const Batch& batch) {
  check<ValueError>(all.defined(), "Model", "the features of the target's places are undefined");
  check<ShapeError>(all.rank() == 3 && Shape({all.size(0), all.size(1)}) == batch.target_out.shape(), "Model",
                    "features {} don't fit targets {}: [rows, steps, any] is needed, as stack(of each step, 1) makes them",
                    all.value(), batch.target_out);
  const std::int64_t rows = all.size(0), steps = all.size(1);
  Tensor places = Tensor::empty({batch.target_tokens}, i64);
  auto* place = places.mutable_data<std::int64_t>();
  for (std::int64_t row = 0; row < rows; ++row)
    for (std::int64_t t = 0; t < batch.target_lengths.data<std::int64_t>()[row]; ++t) *place++ = row * steps + t;
  return {index_select(reshape(all, {rows * steps, all.size(2)}), 0, places), places};
}

Var Model::forward(const Batch& batch) {
  const Reading reading = read(checked_batch(batch));
  const Var logits = project(reading.features);
  const std::int64_t rows = batch.target_out.size(0), steps = batch.target_out.size(1), width = logits.size(1);
  const Tensor nothing = Tensor::zeros({rows * steps, width}, logits.dtype());
  return reshape(index_add(nothing, 0, reading.places, logits), {rows, steps, width});
}

Var Model::loss(const Batch& batch, double label_smoothing) {
  const nn::ModuleScope scope(*this);
  return loss_of(checked_batch(batch), label_smoothing);
}

Var Model::loss_of(const Batch& batch, double label_smoothing) {
  const Reading reading = read(batch);
  const Var all = batch.target_out.reshape({-1});
  return cross_entropy(project(reading.features), index_select(all, 0, reading.places).value(),
                       {.label_smoothing = label_smoothing});
}

}  // namespace weft::seq2seq
