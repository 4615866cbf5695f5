#include "seq2seq/token_tree.hpp"

#include <doctest/doctest.h>

using namespace weft;
using namespace weft::seq2seq;

TEST_CASE("tokens come from the root, whatever else branches off") {
  TokenTree tree;
  const auto a = tree.add(TokenTree::root, 4, 0, 0), b = tree.add(TokenTree::root, 5, 0, 1);
  const auto c = tree.add(a, 6, 1, 1);
  CHECK(tree.token(TokenTree::root) == begin_id);
  CHECK(tree.token(c) == 6);
  CHECK(tree.tokens(c) == TokenIds{4, 6});
  CHECK(tree.tokens(b) == TokenIds{5});
  CHECK(tree.tokens(TokenTree::root).empty());
}

TEST_CASE("attention rows are those of the steps and rows that made the tokens, without padding") {
  TokenTree tree;
  const auto a = tree.add(TokenTree::root, 4, 0, 1);
  const auto b = tree.add(a, 6, 1, 0);
  const AttentionSteps steps = {Tensor::from<float>({1, 2, 3, 4, 5, 6}, {2, 3}), Tensor::from<float>({7, 8, 9}, {1, 3})};
  const Tensor found = tree.attention(b, steps, 2);
  CHECK(found.shape() == Shape{2, 2});
  CHECK(found.at({0, 0}) == 4);
  CHECK(found.at({0, 1}) == 5);
  CHECK(found.at({1, 0}) == 7);
  CHECK(found.at({1, 1}) == 8);
}

TEST_CASE("what would repeat an n-gram is every word that followed its beginning before") {
  CHECK(repeating({4, 5, 4, 6, 4}, 0).empty());
  CHECK(repeating({4, 5, 6}, 1) == std::vector<std::int32_t>{4, 5, 6});
  CHECK(repeating({4, 5, 4, 6, 4}, 2) == std::vector<std::int32_t>{5, 6});
  CHECK(repeating({4, 5, 6, 4, 5}, 3) == std::vector<std::int32_t>{6});
  CHECK(repeating({4, 4}, 2) == std::vector<std::int32_t>{4});
  CHECK(repeating({4, 4}, 3).empty());
  CHECK(repeating({4}, 2).empty());
  CHECK(repeating({}, 1).empty());
}
