#pragma once
#include <cstdint>
#include <vector>

#include "weft/seq2seq/batch.hpp"
#include "weft/tensor/tensor.hpp"

namespace weft::seq2seq {

/// Attention weights of each step of a decoder [rows, source].
using AttentionSteps = std::vector<Tensor>;

/// The partial hypotheses of a sentence: each token knows the one before it.
class TokenTree {
 public:
  static constexpr std::int64_t root = -1;  ///< in front of all tokens

  /// A token behind `parent`, whose attention weights are in this row of this step.
  std::int64_t add(std::int64_t parent, std::int32_t token, std::int64_t step, std::int64_t row);
  /// begin_id at the root.
  std::int32_t token(std::int64_t node) const;
  /// From the first token to that of the node.
  TokenIds tokens(std::int64_t node) const;
  /// f32 [tokens, source]
  Tensor attention(std::int64_t node, const AttentionSteps& steps, std::int64_t source) const;

 private:
  struct Node {
    std::int64_t parent;
    std::int32_t token;
    std::int64_t step, row;
  };
  std::vector<const Node*> path(std::int64_t node) const;

  std::vector<Node> nodes_;
};

/// The tokens that would make an n-gram of `n` tokens behind `tokens` which is in them already. None for n = 0.
std::vector<std::int32_t> repeating(const TokenIds& tokens, std::int64_t n);

}  // namespace weft::seq2seq
