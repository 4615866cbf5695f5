#pragma once
#include <cstdint>
#include <optional>

#include "weft/nn/any_recurrent.hpp"
#include "weft/nn/attention/pooling.hpp"
#include "weft/nn/conv.hpp"

namespace weft::nn::attention {

/// What reads a sequence before it is pooled: a bidirectional GRU or LSTM, tanh of a convolution over each place and its
/// neighbours (Kim 2014), or nothing.
enum class SequenceEncoder : std::uint8_t { gru, lstm, conv, none };

struct EncodedPoolingOptions {
  std::int64_t input_size = 0;  ///< of a place
  std::int64_t hidden = 0;      ///< of each direction; a convolution has twice so many channels
  std::int64_t context = 0;     ///< size of the context vector; 0: that of what the encoder makes of a place
  SequenceEncoder encoder = SequenceEncoder::gru;
  std::int64_t kernel_size = 3;  ///< places that a convolution sees at once, odd
  bool join_input = false;       ///< pools what was read with what the encoder makes of it behind it (Lai et al. 2015)
  Normaliser normaliser = Normaliser::softmax;
  double dropout = 0;  ///< on the weights in training, below 1
};

/// A sequence as one vector: an encoder reads it, Pooling weighs what that makes of each place. A level of Hierarchical.
class EncodedPooling : public Module<EncodedPooling> {
 public:
  /// Throws ValueError for sizes that can't be.
  explicit EncodedPooling(const EncodedPoolingOptions& options, const Scope& scope = {});

  /// x [batch, places, input_size], lengths i64 or i32 [batch] (undefined: all places), 0 giving zeros -> context [batch,
  /// output_size()], weights [batch, places]. What stands behind a length counts for nothing. Throws ShapeError, DTypeError,
  /// ValueError.
  PoolingOutput forward(const Var& x, const Tensor& lengths = {});

  std::int64_t output_size() const { return output_size_; }

 private:
  Var encoded(const Var& x, const Tensor& lengths);

  std::int64_t input_size_, output_size_;
  bool join_input_;
  std::optional<AnyRecurrent> recurrent_;
  std::optional<Conv1d> conv_;
  std::optional<Pooling> pooling_;
};

}  // namespace weft::nn::attention
