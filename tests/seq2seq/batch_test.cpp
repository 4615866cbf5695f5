#include "weft/seq2seq/batch.hpp"

#include <doctest/doctest.h>

#include "weft/base/error.hpp"

using namespace weft;
using namespace weft::seq2seq;

TEST_CASE("rows are padded to the longest") {
  const TokenIds a = {5, 6, 7}, b = {8};
  const std::vector<const TokenIds*> rows = {&a, &b};
  const Padded padded = pad(rows);
  CHECK(padded.ids.shape() == Shape{2, 3});
  CHECK(padded.ids.at({1, 0}) == 8);
  CHECK(padded.ids.at({1, 1}) == pad_id);
  CHECK(padded.lengths.at({1}) == 1);
}

TEST_CASE("what follows target_in is target_out") {
  const TokenIds source = {4}, a = {5, 6}, b = {};
  const std::vector<const TokenIds*> sources = {&source, &source}, targets = {&a, &b};
  const Batch batch = make_batch(sources, targets);
  CHECK(batch.target_in.str() == "[[2, 5, 6],\n [2, 0, 0]]");
  CHECK(batch.target_out.str() == "[[5, 6, 3],\n [3, 0, 0]]");
  CHECK(batch.target_tokens == 4);
}

TEST_CASE("impossible batches are refused") {
  const TokenIds empty, a = {4};
  CHECK_THROWS_WITH_AS(pad({}), "[pad] no rows to make a batch of", ValueError);
  const std::vector<const TokenIds*> with_empty = {&a, &empty}, one = {&a};
  CHECK_THROWS_WITH_AS(pad(with_empty), "[pad] row 1 has no tokens", ValueError);
  const std::vector<const TokenIds*> with_null = {&a, nullptr};
  CHECK_THROWS_WITH_AS(pad(with_null), "[pad] row 1 is a null pointer", ValueError);
  CHECK_THROWS_WITH_AS(make_batch(pad(std::vector{&a, &a}), with_null), "[make_batch] row 1 is a null pointer", ValueError);
  CHECK_THROWS_WITH_AS(make_batch(with_empty, one), "[make_batch] 2 source rows but 1 target rows", ValueError);
}

TEST_CASE("rows of anything are padded with zeros") {
  const Tensor a = Tensor::from<float>({1, 2, 3, 4}, {2, 2}), b = Tensor::from<float>({5, 6}, {1, 2});
  const std::vector<Tensor> rows = {b, a};
  const Padded padded = pad_features(rows);
  CHECK(padded.features.str() == Tensor::from<float>({5, 6, 0, 0, 1, 2, 3, 4}, {2, 2, 2}).str());
  CHECK(padded.lengths.str() == "[1, 2]");
  const TokenIds target = {4};
  const std::vector<const TokenIds*> targets = {&target, &target};
  CHECK(make_batch(padded, targets).source.features.is_same(padded.features));
  const std::vector<const TokenIds*> one = {&target};
  CHECK_THROWS_WITH_AS(make_batch(padded, one), "[make_batch] 2 source rows but 1 target rows", ValueError);
}

TEST_CASE("rows that don't fit each other are refused") {
  const Tensor a = Tensor::zeros({2, 3}), wide = Tensor::zeros({2, 4}), other = Tensor::zeros({2, 3}, f64),
               scalar = Tensor::zeros({});
  const auto padded = [](const std::vector<Tensor>& rows) { return pad_features(rows); };
  CHECK_THROWS_WITH_AS(padded({}), "[pad_features] no rows to make a batch of", ValueError);
  CHECK_THROWS_WITH_AS(padded({a, wide}),
                       "[pad_features] row 1 is f32[2, 4] and row 0 f32[2, 3]: they may differ in their first size alone",
                       ShapeError);
  CHECK_THROWS_WITH_AS(padded({a, other}), "[pad_features] row 1 is f64[2, 3] and row 0 f32[2, 3]: one dtype is needed",
                       DTypeError);
  CHECK_THROWS_AS(padded({scalar}), ShapeError);
}
