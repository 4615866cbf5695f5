#include "weft/seq2seq/model.hpp"

#include "weft/ops/index.hpp"

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
  return {chosen(values, index), rows_of(mask, index).value(), rows_of(lengths, index).value()};
}

DecoderState DecoderState::select(const Tensor& index) const { return {chosen(values, index)}; }

}  // namespace weft::seq2seq
