#include "weft/tensor/tensor.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <numeric>
#include <vector>

#include "weft/base/error.hpp"

using namespace weft;

namespace {

Tensor counting(const Shape& shape) {
  std::vector<float> values(static_cast<std::size_t>(shape.numel()));
  std::iota(values.begin(), values.end(), 0.0f);
  return Tensor::from(std::span<const float>(values), shape);
}

}  // namespace

TEST_CASE("makers fill and describe") {
  CHECK(Tensor::zeros({2, 2}).at({1, 1}) == 0);
  CHECK(Tensor::full({3}, 2.5, f64).at({2}) == 2.5);
  CHECK(Tensor::from<std::int64_t>({1, 2, 3}, {3}).dtype() == i64);
  CHECK(Tensor::from<bool>({true, false}, {2}).at({0}) == 1);
  CHECK(counting({2, 3}).describe() == "f32[2, 3]");
  CHECK(counting({2, 2}).str() == "[[0, 1],\n [2, 3]]");
  CHECK(Tensor::empty({0, 3}).numel() == 0);
  CHECK_THROWS_AS(Tensor::from<float>({1, 2}, {3}), ShapeError);
}

TEST_CASE("views share their data") {
  Tensor x = counting({2, 3, 4});
  CHECK(x.slice(1, 1, 3).at({1, 0, 2}) == 18);
  CHECK(x.select(2, 3).at({1, 1}) == 19);
  CHECK(x.transpose(0, 2).at({3, 1, 0}) == 7);
  CHECK(x.permute({2, 0, 1}).shape() == Shape{4, 2, 3});
  CHECK(x.flip(2).at({0, 0, 0}) == 3);
  CHECK(x.unsqueeze(1).shape() == Shape{2, 1, 3, 4});
  CHECK(x.slice(0, 0, 1).squeeze(0).shape() == Shape{3, 4});
  CHECK(counting({3, 1}).expand({2, 3, 4}).at({1, 2, 3}) == 2);
  x.slice(1, 1, 2).fill(-1);
  CHECK(x.at({1, 1, 3}) == -1);
  CHECK(x.transpose(0, 1).same_buffer(x));
  const Tensor second = x.slice(0, 1, 2);
  CHECK(second.data<float>() == x.data<float>() + 12);
}

TEST_CASE("reshape is a view where strides allow it") {
  const Tensor x = counting({2, 3, 4});
  CHECK(x.reshape({6, -1}).same_buffer(x));
  const Tensor turned = x.transpose(0, 1);
  CHECK(turned.reshape({3, 2, 2, 2}).same_buffer(x));
  CHECK(turned.reshape({3, 2, 2, 2}).at({2, 1, 1, 0}) == 22);
  CHECK_FALSE(turned.reshape({6, 4}).same_buffer(x));
  CHECK(turned.reshape({6, 4}).at({5, 1}) == 21);
  CHECK(x.slice(2, 0, 2).reshape({6, 2}).same_buffer(x));
  CHECK_FALSE(x.slice(2, 0, 2).reshape({12}).same_buffer(x));
  CHECK(x.slice(2, 0, 2).reshape({12}).at({3}) == 5);
  CHECK(counting({3, 1}).transpose(0, 1).reshape({3}).at({2}) == 2);
  CHECK(Tensor::zeros({0, 3}).reshape({3, 0}).shape() == Shape{3, 0});
  CHECK_THROWS_WITH_AS(x.reshape({5, 5}), doctest::Contains("[reshape] shape [2, 3, 4] (24 elements) can't become [5, 5]"),
                       ShapeError);
}

TEST_CASE("copies convert") {
  const Tensor x = Tensor::from<double>({1.9, -1.9, 0}, {3});
  CHECK(x.to(i32).at({1}) == -1);
  CHECK(x.to(boolean).at({0}) == 1);
  CHECK(x.to(boolean).at({2}) == 0);
  CHECK(x.to(f64).is_same(x));
  CHECK_THROWS_AS(Tensor::full({1}, std::nan("")).to(i64), ValueError);
  CHECK_THROWS_AS(Tensor::full({1}, 3e9, f64).to(i32), ValueError);
  CHECK_THROWS_WITH_AS(x.data<float>(), "[Tensor::data] asked for f32 elements of f64[3]", DTypeError);
  Tensor y = Tensor::zeros({2, 3});
  y.copy_from(x);
  CHECK(y.at({1, 1}) == doctest::Approx(-1.9));
}

TEST_CASE("bad views name the axis and the shape") {
  const Tensor x = counting({2, 3});
  CHECK_THROWS_AS(x.slice(0, 1, 3), IndexError);
  CHECK_THROWS_AS(x.slice(0, -1, 1), IndexError);
  CHECK_THROWS_AS(x.select(1, 3), IndexError);
  CHECK_THROWS_AS(x.permute({0, 0}), IndexError);
  CHECK_THROWS_AS(x.expand({2, 4}), ShapeError);
  CHECK_THROWS_AS(x.squeeze(0), ShapeError);
  CHECK_THROWS_AS(x.item(), ShapeError);
}

TEST_CASE("a version counts changes through any view") {
  Tensor x = counting({4});
  const auto before = x.version();
  x.slice(0, 1, 2).fill(3);
  CHECK(x.version() != before);
}

TEST_CASE("an undefined tensor is an error, never a crash") {
  const Tensor none;
  CHECK_FALSE(none.defined());
  CHECK(none.describe() == "undefined");
  CHECK_THROWS_WITH_AS(none.shape(), doctest::Contains("undefined tensor"), ValueError);
  CHECK_THROWS_AS(none.dtype(), ValueError);
  CHECK_THROWS_AS(none.size(0), ValueError);
  CHECK_THROWS_AS(none.item(), ValueError);
  CHECK_THROWS_AS(none.at({0}), ValueError);
  CHECK_THROWS_AS(none.data<float>(), ValueError);
  CHECK_THROWS_AS(none.slice(0, 0, 1), ValueError);
  CHECK_THROWS_AS(none.reshape({1}), ValueError);
  CHECK_THROWS_AS(none.contiguous(), ValueError);
  CHECK_THROWS_AS(none.clone(), ValueError);
  CHECK_THROWS_AS(none.to(f64), ValueError);
  CHECK_THROWS_AS(none.version(), ValueError);
  Tensor target = Tensor::zeros({2});
  CHECK_THROWS_AS(target.copy_from(none), ValueError);
  Tensor empty;
  CHECK_THROWS_AS(empty.fill(1), ValueError);
  CHECK_THROWS_AS(empty.mutable_data<float>(), ValueError);
}
