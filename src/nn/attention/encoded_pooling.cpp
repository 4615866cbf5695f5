#include "weft/nn/attention/encoded_pooling.hpp"

#include "base/fail.hpp"
#include "ops/lengths.hpp"
#include "weft/ops/elementwise.hpp"
#include "weft/ops/index.hpp"
#include "weft/ops/shape.hpp"

namespace weft::nn::attention {
namespace {

constexpr const char* name = "attention::EncodedPooling";

const EncodedPoolingOptions& checked(const EncodedPoolingOptions& o) {
  const bool encodes = o.encoder != SequenceEncoder::none;
  check<ValueError>(o.input_size > 0 && o.context >= 0 && (o.hidden > 0 || !encodes), name,
                    "input_size is {}, hidden {} and context {}; the sizes must be positive (context 0: the encoder's)",
                    o.input_size, o.hidden, o.context);
  check<ValueError>(o.encoder != SequenceEncoder::conv || (o.kernel_size > 0 && o.kernel_size % 2 == 1), name,
                    "kernel_size is {}; it must be odd, so that a place stands in the middle", o.kernel_size);
  check<ValueError>(encodes || !o.join_input, name, "join_input without an encoder: there is nothing to join the input with");
  return o;
}

// Of what the encoder makes of a place.
std::int64_t encoded_size(const EncodedPoolingOptions& o) {
  return o.encoder == SequenceEncoder::none ? o.input_size : 2 * o.hidden;
}

}  // namespace

EncodedPooling::EncodedPooling(const EncodedPoolingOptions& o, const Scope& scope)
    : Module(scope),
      input_size_(checked(o).input_size),
      output_size_(encoded_size(o) + (o.join_input ? o.input_size : 0)),
      join_input_(o.join_input) {
  const Scope place{this, "encoder"};
  const RecurrentOptions recurrent{.input_size = o.input_size, .hidden_size = o.hidden, .bidirectional = true};
  switch (o.encoder) {
    case SequenceEncoder::gru: recurrent_.emplace(RecurrentKind::gru, recurrent, place); break;
    case SequenceEncoder::lstm: recurrent_.emplace(RecurrentKind::lstm, recurrent, place); break;
    case SequenceEncoder::conv:
      conv_.emplace(Conv1dOptions{.in_channels = o.input_size,
                                  .out_channels = 2 * o.hidden,
                                  .kernel_size = o.kernel_size,
                                  .padding = o.kernel_size / 2},
                    place);
      break;
    case SequenceEncoder::none: break;
  }
  pooling_.emplace(PoolingOptions{.size = output_size_,
                                  .hidden = o.context > 0 ? o.context : encoded_size(o),
                                  .normaliser = o.normaliser,
                                  .dropout = o.dropout},
                   Scope{this, "pooling"});
}

Var EncodedPooling::encoded(const Var& x, const Tensor& lengths) {
  if (recurrent_) return (*recurrent_)(x, lengths).output;
  if (conv_ && x.size(1) == 0) return Tensor::zeros({x.size(0), 0, conv_->weight->value().size(0)}, x.dtype());
  if (conv_) return tanh(transpose((*conv_)(transpose(x, 1, 2), lengths), 1, 2));
  return x;
}

PoolingOutput EncodedPooling::forward(const Var& x, const Tensor& lengths) {
  check<ValueError>(x.defined(), name, "the input is undefined");
  check<ShapeError>(x.rank() == 3 && x.size(2) == input_size_, name, "input {} is not [batch, places, {}]", x.value(),
                    input_size_);
  const Tensor ends = checked_lengths(name, lengths, "input", x.value(), 1);
  const Var read = encoded(x, ends);
  return (*pooling_)(join_input_ ? concat({x, read}, 2) : read, ends.defined() ? sequence_mask(ends, x.size(1)) : Tensor());
}

}  // namespace weft::nn::attention
