#pragma once
// The sizes of each work, and its matrix work by a fixed formula: 10^9 operations of a step, two for a multiply-add. What a
// program leaves out (padding, causal blocks) counts as done; backward counts as twice forward. Two programs agree on both.
#include <vector>

#include "work/work.hpp"

namespace bench {

/// Encoder-decoder with attention and input feeding: embedding, bidirectional encoder of width / 2 each, decoder of width.
struct LstmSizes {
  explicit LstmSizes(const Settings& s);
  std::int64_t batch, length, vocabulary, width, embedding;
  double dropout;
  double gflop() const;
};

/// As many encoder as decoder layers, embeddings and output tied.
struct TransformerSizes {
  explicit TransformerSizes(const Settings& s);
  std::int64_t batch, length, layers, width, heads, feed_forward, vocabulary;
  double dropout;
  double gflop() const;
};

struct Gpt2Sizes {
  explicit Gpt2Sizes(const Settings& s);
  std::int64_t batch, length, layers, width, heads, vocabulary;
  double dropout;
  double gflop() const;
};

/// `width` is a head's.
struct AttentionSizes {
  explicit AttentionSizes(const Settings& s);
  std::int64_t batch, length, heads, width;
  double gflop() const;
};

/// A bidirectional LSTM over rows of even lengths from 10 to `length`; with `padded` each row is `length` long.
struct RaggedSizes {
  explicit RaggedSizes(const Settings& s);
  std::int64_t batch, length, layers, width;
  bool padded;
  std::vector<std::int64_t> lengths;
  double dropout;
  double tokens() const;
  double gflop() const;  ///< of the steps that are there
};

/// Two 3x3 convolutions (1 to width, width to width channels) and a classifier over sequences of square images.
struct ConvSizes {
  explicit ConvSizes(const Settings& s);
  std::int64_t batch, length, width, side = 32, classes = 10;
  double gflop() const;
};

struct CtcSizes {
  explicit CtcSizes(const Settings& s);
  std::int64_t batch, length, vocabulary, targets;
};

/// Three sizes of `width` with a tanh between the two layers.
struct MlpSizes {
  explicit MlpSizes(const Settings& s);
  std::int64_t batch, width;
  double gflop() const;
};

/// A chain of `length` products and as many sums of vectors of `width`.
struct TapeSizes {
  explicit TapeSizes(const Settings& s);
  std::int64_t length, width;
};

}  // namespace bench
