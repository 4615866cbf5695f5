#include "seq2seq/token_tree.hpp"

#include <algorithm>

namespace weft::seq2seq {

std::int64_t TokenTree::add(std::int64_t parent, std::int32_t token, std::int64_t step, std::int64_t row) {
  nodes_.push_back({parent, token, step, row});
  return static_cast<std::int64_t>(nodes_.size()) - 1;
}

std::int32_t TokenTree::token(std::int64_t node) const {
  return node == root ? begin_id : nodes_[static_cast<std::size_t>(node)].token;
}

std::vector<const TokenTree::Node*> TokenTree::path(std::int64_t node) const {
  std::vector<const Node*> result;
  for (; node != root; node = nodes_[static_cast<std::size_t>(node)].parent)
    result.push_back(&nodes_[static_cast<std::size_t>(node)]);
  std::reverse(result.begin(), result.end());
  return result;
}

TokenIds TokenTree::tokens(std::int64_t node) const {
  TokenIds result;
  for (const Node* each : path(node)) result.push_back(each->token);
  return result;
}

Tensor TokenTree::attention(std::int64_t node, const AttentionSteps& steps, std::int64_t source) const {
  const std::vector<const Node*> nodes = path(node);
  Tensor result = Tensor::empty({static_cast<std::int64_t>(nodes.size()), source});
  for (std::size_t t = 0; t < nodes.size(); ++t)
    result.select(0, static_cast<std::int64_t>(t))
        .copy_from(steps[static_cast<std::size_t>(nodes[t]->step)].select(0, nodes[t]->row).slice(0, 0, source));
  return result;
}

std::vector<std::int32_t> repeating(const TokenIds& tokens, std::int64_t n) {
  std::vector<std::int32_t> result;
  const auto size = static_cast<std::int64_t>(tokens.size());
  if (n == 0 || size < n) return result;
  const auto last = tokens.end() - (n - 1);  // what a new n-gram begins with
  for (auto start = tokens.begin(); start + n <= tokens.end(); ++start)
    if (std::equal(last, tokens.end(), start)) result.push_back(start[n - 1]);
  return result;
}

}  // namespace weft::seq2seq
