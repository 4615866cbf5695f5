#include "weft/ops/comparison.hpp"

#include <doctest/doctest.h>

#include <limits>
#include <utility>
#include <vector>

#include "weft/autograd/tape.hpp"
#include "weft/base/error.hpp"

namespace weft {
namespace {

constexpr double inf = std::numeric_limits<double>::infinity(), nan = std::numeric_limits<double>::quiet_NaN();

// "1011" for a bool tensor in row-major order.
std::string bits(const Tensor& x) {
  REQUIRE(x.dtype() == boolean);
  const Tensor dense = x.contiguous();
  std::string text;
  for (std::int64_t i = 0; i < dense.numel(); ++i) text += dense.data<bool>()[i] ? '1' : '0';
  return text;
}

TEST_CASE("comparisons of two tensors and with a number") {
  for (const DType type : {f32, f64, i32, i64}) {
    const Tensor a = Tensor::from<std::int32_t>({-1, 0, 2, 3}, {4}).to(type);
    const Tensor b = Tensor::from<std::int32_t>({0, 0, 2, -3}, {4}).to(type);
    CHECK(bits(eq(a, b)) == "0110");
    CHECK(bits(ne(a, b)) == "1001");
    CHECK(bits(lt(a, b)) == "1000");
    CHECK(bits(le(a, b)) == "1110");
    CHECK(bits(gt(a, b)) == "0001");
    CHECK(bits(ge(a, b)) == "0111");
    CHECK(bits(eq(a, 2)) == "0010");
    CHECK(bits(ne(a, 2)) == "1101");
    CHECK(bits(lt(a, 2)) == "1100");
    CHECK(bits(le(a, 2)) == "1110");
    CHECK(bits(gt(a, 2)) == "0001");
    CHECK(bits(ge(a, 2)) == "0011");
  }
  const Tensor yes = Tensor::from<bool>({true, false}, {2});
  CHECK(bits(eq(yes, yes)) == "11");
  CHECK(bits(ne(yes, 0)) == "10");
}

TEST_CASE("comparisons broadcast, take views and nothing, and are constants of a tape") {
  const Tensor column = Tensor::from<float>({1, 2, 3}, {3, 1}), row = Tensor::from<float>({1, 2}, {2});
  CHECK(gt(column, row).shape() == Shape{3, 2});
  CHECK(bits(gt(column, row)) == "001011");
  CHECK(bits(gt(column, row).transpose(0, 1)) == "011001");
  CHECK(bits(lt(column.expand({3, 2}).transpose(0, 1), 2)) == "100100");
  CHECK(bits(ge(column.flip(0), 2)) == "110");
  CHECK(eq(Tensor::zeros({0, 3}), Tensor::zeros({3})).shape() == Shape{0, 3});
  CHECK(eq(Tensor::zeros({}), 0).item() == 1);
  Tape tape;
  const Var leaf = tape.leaf(row);
  CHECK(bits(le(leaf, 1)) == "10");
}

TEST_CASE("NaN and infinities are told apart") {
  for (const DType type : {f32, f64}) {
    const Tensor x = Tensor::from<double>({nan, inf, -inf, 0, -0.0, 1e30}, {6}).to(type);
    CHECK(bits(isnan(x)) == "100000");
    CHECK(bits(isinf(x)) == "011000");
    CHECK(bits(isfinite(x)) == "000111");
    CHECK(bits(isfinite(x.flip(0))) == "111000");
    CHECK(bits(eq(x, x)) == "011111");
    CHECK(bits(ne(x, x)) == "100000");
    CHECK(bits(lt(x, inf)) == "001111");
    CHECK(bits(ge(x, 0)) == "010111");
    CHECK(bits(eq(x, nan)) == "000000");
  }
  for (const DType type : {i32, i64, boolean}) {
    const Tensor x = Tensor::ones({2, 1}, type);
    CHECK(bits(isnan(x)) == "00");
    CHECK(bits(isinf(x)) == "00");
    CHECK(bits(isfinite(x)) == "11");
    CHECK(isfinite(x).shape() == Shape{2, 1});
  }
  CHECK(isnan(Tensor::zeros({0, 2})).shape() == Shape{0, 2});
}

TEST_CASE("logic of bool tensors") {
  const Tensor a = Tensor::from<bool>({true, true, false, false}, {4}), b = Tensor::from<bool>({true, false, true, false}, {4});
  CHECK(bits(logical_and(a, b)) == "1000");
  CHECK(bits(logical_or(a, b)) == "1110");
  CHECK(bits(logical_xor(a, b)) == "0110");
  CHECK(bits(logical_not(a)) == "0011");
  CHECK(bits(logical_and(a.reshape({4, 1}), b.slice(0, 0, 2))) == "10100000");
  CHECK(bits(logical_or(a.flip(0), b)) == "1011");
  CHECK(logical_not(Tensor::zeros({0}, boolean)).shape() == Shape{0});
}

TEST_CASE("comparisons name wrong arguments") {
  const Tensor x = Tensor::zeros({2, 3}), y = Tensor::zeros({2}), z = Tensor::zeros({2, 3}, f64), n = Tensor::zeros({3}, i64);
  const std::vector<std::pair<std::string, Tensor (*)(const Var&, const Var&)>> of_two = {{"eq", eq}, {"ne", ne}, {"lt", lt},
                                                                                          {"le", le}, {"gt", gt}, {"ge", ge}};
  for (const auto& [name, function] : of_two) {
    const std::string shapes = "[" + name + "] shapes [2, 3] and [2] don't broadcast";
    const std::string dtypes = "[" + name + "] dtypes differ: f32[2, 3] and f64[2, 3]; convert one with to()";
    CHECK_THROWS_WITH_AS(function(x, y), doctest::Contains(shapes.c_str()), ShapeError);
    CHECK_THROWS_WITH_AS(function(x, z), dtypes.c_str(), DTypeError);
    CHECK_THROWS_AS(function(x, Var()), ValueError);
    CHECK_THROWS_AS(function(Var(), x), ValueError);
  }
  const std::vector<std::pair<std::string, Tensor (*)(const Var&, double)>> with_number = {{"eq", eq}, {"ne", ne}, {"lt", lt},
                                                                                           {"le", le}, {"gt", gt}, {"ge", ge}};
  for (const auto& [name, function] : with_number) {
    const std::string text = "[" + name + "] the number 0.5 with elements of i64[3]";
    CHECK_THROWS_WITH_AS(function(n, 0.5), text.c_str(), ValueError);
    CHECK_THROWS_AS(function(n, 1e30), ValueError);
    CHECK_THROWS_AS(function(n, nan), ValueError);
    CHECK_THROWS_AS(function(Var(), 1), ValueError);
  }
  CHECK_THROWS_AS(lt(Tensor::zeros({2}, boolean), Tensor::zeros({2}, boolean)), DTypeError);
  for (const auto function : {isnan, isinf, isfinite}) CHECK_THROWS_AS(function(Var()), ValueError);
  const Tensor yes = Tensor::ones({3}, boolean);
  for (const auto function : {logical_and, logical_or, logical_xor}) {
    CHECK_THROWS_AS(function(yes, n), DTypeError);
    CHECK_THROWS_AS(function(n, yes), DTypeError);
    CHECK_THROWS_AS(function(yes, Tensor::ones({2}, boolean)), ShapeError);
    CHECK_THROWS_AS(function(yes, Tensor()), ValueError);
  }
  CHECK_THROWS_WITH_AS(logical_and(yes, n), doctest::Contains("[logical_and] the operand is i64[3]; bool is needed"),
                       DTypeError);
  CHECK_THROWS_AS(logical_not(n), DTypeError);
  CHECK_THROWS_AS(logical_not(Tensor()), ValueError);
}

}  // namespace
}  // namespace weft
