#include "weft/ops/einsum.hpp"

#include <doctest/doctest.h>

#include <map>
#include <string>
#include <vector>

#include "support/random.hpp"
#include "weft/autograd/tape.hpp"
#include "weft/base/error.hpp"
#include "weft/ops/elementwise.hpp"
#include "weft/ops/matmul.hpp"
#include "weft/ops/reduce.hpp"

using namespace weft;
using namespace weft::test;

namespace {

// The sum over all letters of the product of the operands, element by element; every letter of its given size.
Tensor by_letters(const std::vector<std::string>& terms, const std::string& output, const std::vector<Tensor>& operands,
                  const std::map<char, std::int64_t>& sizes) {
  const auto shape_of = [&](const std::string& term) {
    std::vector<std::int64_t> shape;
    for (const char c : term) shape.push_back(sizes.at(c));
    return Shape(shape);
  };
  std::map<char, std::int64_t> at;
  const auto place = [&](const std::string& term, const Strides& strides) {
    std::int64_t offset = 0;
    for (std::size_t i = 0; i < term.size(); ++i) offset += at[term[i]] * strides[i];
    return offset;
  };
  Tensor result = Tensor::zeros(shape_of(output), f64);
  auto* to = result.mutable_data<double>();
  std::int64_t count = 1;
  for (const auto& [letter, size] : sizes) count *= size;
  for (std::int64_t k = 0; k < count; ++k) {
    std::int64_t rest = k;
    for (const auto& [letter, size] : sizes) {
      at[letter] = rest % size;
      rest /= size;
    }
    double product = 1;
    for (std::size_t i = 0; i < terms.size(); ++i)
      product *= operands[i].data<double>()[place(terms[i], operands[i].strides())];
    to[place(output, result.strides())] += product;
  }
  return result;
}

void agree(const std::vector<std::string>& terms, const std::string& output) {
  std::map<char, std::int64_t> sizes;
  std::string equation;
  std::vector<Tensor> operands;
  std::vector<Var> vars;
  for (const std::string& term : terms) {
    equation += (equation.empty() ? "" : ",") + term;
    std::vector<std::int64_t> shape;
    for (const char c : term) shape.push_back(sizes.try_emplace(c, 2 + c % 4).first->second);
    operands.push_back(uniform(Shape(shape), -1, 1, operands.size()));
    vars.emplace_back(operands.back());
  }
  INFO(equation, "->", output);
  const Tensor result = einsum(equation + "->" + output, vars).value(), expected = by_letters(terms, output, operands, sizes);
  REQUIRE(result.shape() == expected.shape());
  CHECK(largest_difference(result, expected) < 1e-13);
}

std::string message_of(const std::string& equation, std::vector<Var> operands) {
  try {
    einsum(equation, operands);
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

}  // namespace

TEST_CASE("einsum is the sum over letters that it says") {
  agree({"ij", "jk"}, "ik");
  agree({"ij", "jk"}, "ki");
  agree({"ij", "jk"}, "");
  agree({"ij", "kj"}, "jki");
  agree({"bij", "bkj"}, "bik");
  agree({"bij", "kbj"}, "kib");
  agree({"abcd", "dcef"}, "abef");
  agree({"abcd", "cdef"}, "feba");
  agree({"bqhd", "bkhd"}, "bhqk");
  agree({"bhqk", "bkhd"}, "bqhd");
  agree({"ij", "ij"}, "");
  agree({"ij", "ji"}, "j");
  agree({"i", "j"}, "ji");
  agree({"iji", "jk"}, "ik");
  agree({"iijj"}, "ji");
  agree({"abc"}, "ca");
  agree({"ijk", "l"}, "il");
  agree({"ij", "jk", "kl"}, "il");
  agree({"ia", "ja", "ka"}, "ijk");
  agree({"ab", "bc", "cd", "de"}, "ae");
  agree({"bn", "anm", "bm"}, "ba");
  agree({"aB", "Bc"}, "cB");
}

TEST_CASE("einsum without an output has the letters that stand once, in order") {
  const Tensor a = uniform({2, 3}, -1, 1, 1), b = uniform({3, 4}, -1, 1, 2);
  CHECK(einsum("ba,ac", {a, b}).shape() == Shape{2, 4});
  CHECK(einsum("ca,ab", {a, b}).shape() == Shape{4, 2});
  CHECK(einsum("bA,Ac", {a, b}).shape() == Shape{2, 4});
  CHECK(einsum("ab,Bc", {a, b}).shape() == Shape{3, 2, 3, 4});  // capitals come first
  CHECK(einsum("ba", {a}).shape() == Shape{3, 2});
  CHECK(einsum("", {Tensor::from<double>({7}, {})}).item() == 7);
  CHECK(einsum("...a,a...b", {a, b}).shape() == Shape{2, 4});
  CHECK(einsum("a...,b...", {a, uniform({5, 3}, -1, 1, 3)}).shape() == Shape{3, 2, 5});
}

TEST_CASE("einsum's dots stand for axes that broadcast") {
  const Tensor a = uniform({5, 1, 2, 3}, -1, 1, 1), b = uniform({4, 3, 6}, -1, 1, 2);
  const Tensor expected = matmul(a, b).value();
  CHECK(largest_difference(einsum("...ij,...jk->...ik", {a, b}).value(), expected) < 1e-14);
  CHECK(largest_difference(einsum("...ij,...jk", {a, b}).value(), expected) < 1e-14);
  CHECK(largest_difference(einsum("...ij,...jk->ik", {a, b}).value(), sum(expected, {0, 1}).value()) < 1e-13);
  CHECK(einsum("...ij,...jk->i...k", {a, b}).shape() == Shape{2, 5, 4, 6});
  CHECK(einsum("i->...i", {b.select(0, 0).select(0, 0)}).shape() == Shape{6});
  CHECK(einsum("i,i->i", {Tensor::ones({1}), Tensor::ones({3})}).shape() == Shape{3});
  CHECK(einsum("i,i->", {Tensor::ones({0}), Tensor::ones({1})}).item() == 0);
}

TEST_CASE("einsum's plain forms cost no copy") {
  const Tensor x = uniform({3, 3}, -1, 1, 1);
  CHECK(einsum("ij->ji", {x}).value().same_buffer(x));
  CHECK(einsum("ii->i", {x}).value().same_buffer(x));
  CHECK(einsum("ij", {x}).value().is_same(x));
  CHECK(einsum("ij->i", {Tensor::ones({2, 3}, i64)}).value().at({1}) == 3);
}

TEST_CASE("einsum has second derivatives") {
  Tape tape;
  const Var x = tape.leaf(Tensor::from<double>({1, 2, 3, 4}, {2, 2}));
  tape.backward(einsum("ij,jk,ki->", {x, x, x}), {.create_graph = true});  // trace(x^3): 3 (x^2)^T
  CHECK(largest_difference(tape.grad(x), Tensor::from<double>({21, 45, 30, 66}, {2, 2})) < 1e-12);
  tape.backward(tape.grad_var(x), Tensor::from<double>({1, 0, 0, 0}, {2, 2}));  // d(3 x^2)_00
  CHECK(largest_difference(tape.grad(x), Tensor::from<double>({6, 9, 6, 0}, {2, 2})) < 1e-12);
}

TEST_CASE("einsum's errors name the equation and the operands") {
  const Tensor a = Tensor::zeros({2, 3}), b = Tensor::zeros({4, 5});
  CHECK(message_of("ij,jk->ik", {a, b}) == "[einsum] 'ij,jk->ik' of f32[2, 3], f32[4, 5]: 'j' is both 3 and 4");
  CHECK(message_of("ij,jk->ik", {a}) == "[einsum] 'ij,jk->ik' of f32[2, 3]: 2 operands are named, 1 given");
  CHECK(message_of("ijk->i", {a}) == "[einsum] 'ijk->i' of f32[2, 3]: operand 0 has 2 axes, its term names 3");
  CHECK(message_of("ii", {a}) == "[einsum] 'ii' of f32[2, 3]: 'i' is both 2 and 3 in one operand");
  CHECK(message_of("ij->ik", {a}) == "[einsum] 'ij->ik' of f32[2, 3]: the output's 'k' is in no operand");
  CHECK_THROWS_WITH_AS(einsum("ij->ii", {a}), doctest::Contains("the output has 'i' twice"), ValueError);
  CHECK_THROWS_WITH_AS(einsum("i1", {a}), doctest::Contains("'1' is neither"), ValueError);
  CHECK_THROWS_AS(einsum("i.j", {a}), ValueError);
  CHECK_THROWS_AS(einsum("......", {a}), ValueError);
  CHECK_THROWS_AS(einsum("ij->i->j", {a}), ValueError);
  CHECK_THROWS_AS(einsum("ij-i", {a}), ValueError);
  CHECK_THROWS_AS(einsum("ij->i,j", {a}), ValueError);
  CHECK_THROWS_AS(einsum("ij,->ij", {a}), ValueError);
  CHECK_THROWS_AS(einsum("", std::vector<Var>{}), ValueError);
  CHECK_THROWS_AS(einsum("ij", {Var()}), ValueError);
  CHECK_THROWS_AS(einsum("i...j->...", {Tensor::zeros({3})}), ShapeError);
  CHECK_THROWS_AS(einsum("abcdefghij", {a}), ShapeError);
  CHECK_THROWS_AS(einsum("ij,jk", {a, b.to(f64)}), DTypeError);
  CHECK_THROWS_AS(einsum("ij,ij", {a.to(i64), a.to(i64)}), DTypeError);
  const Tensor five = Tensor::zeros({1, 1, 1, 1, 1});
  CHECK_THROWS_WITH_AS(einsum("abcde,fghij", {five, five}), doctest::Contains("8 dimensions"), ShapeError);
}
