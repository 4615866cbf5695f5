#pragma once
#include <span>
#include <vector>

#include "weft/nn/attention/encoded_pooling.hpp"
#include "weft/nn/list.hpp"
#include "weft/tensor/pool_vector.hpp"

namespace weft::nn::attention {

struct HierarchicalOptions {
  std::int64_t input_size = 0;  ///< of a word
  std::int64_t hidden = 0;      ///< of each direction of each level's encoder; a level gives twice that
  std::int64_t context = 0;     ///< size of the levels' context vectors; 0: twice hidden
  std::int64_t levels = 2;      ///< words in sentences, sentences in a document: 2; up to 6, as a tensor has 8 dimensions
  Normaliser normaliser = Normaliser::softmax;
  SequenceEncoder encoder = SequenceEncoder::gru;  ///< of every level; without one a level gives the size that it reads
  double dropout = 0;                              ///< on the weights of every level in training, below 1
};

struct HierarchicalOutput {
  Var output;               ///< [batch, 2 hidden], without an encoder [batch, input_size]
  PoolVector<Var> weights;  ///< of each level, outermost first: of 2 [batch, sentences], [batch, sentences, words]
};

/// A document of sentences of words, or of other levels, as one vector (Yang et al. 2016): from the innermost level outwards, a
/// bidirectional GRU, or another encoder, reads the parts of each whole, and Pooling makes one vector of them, a part of the
/// next level.
class Hierarchical : public Module<Hierarchical> {
 public:
  /// Throws ValueError for sizes or levels that can't be.
  explicit Hierarchical(const HierarchicalOptions& options, const Scope& scope = {});

  /// x [batch, parts, ..., input_size] with one axis of parts for each level; of 2 levels [batch, sentences, words,
  /// input_size]. lengths, outermost level first, i64 or i32: how many parts each whole has, of 2 levels [batch] and [batch,
  /// sentences]; none at all: all of them. Every whole that counts has one part at least; what stands behind a length counts
  /// for nothing, lengths included. Throws ShapeError, DTypeError, ValueError for a length of 0 or beyond its parts.
  HierarchicalOutput forward(const Var& x, std::span<const Tensor> lengths = {});

 private:
  std::int64_t input_size_;
  List<EncodedPooling> levels_;  // outermost first
};

}  // namespace weft::nn::attention
