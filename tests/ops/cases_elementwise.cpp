#include "ops/unary_cases.hpp"
#include "weft/ops/elementwise.hpp"

namespace weft::test {
namespace {

using Inputs = std::vector<Var>;

void add_binary(std::vector<Case>& to, const char* op, Var (*function)(const Var&, const Var&), Range a, Range b) {
  const auto add = [&](const char* what, Tensor x, Tensor y) {
    to.push_back({op, what, [function](const Inputs& in) { return function(in[0], in[1]); }, {std::move(x), std::move(y)}});
  };
  const auto left = [a](const Shape& shape) { return spread(shape, a.low, a.high); };
  const auto right = [b](const Shape& shape) { return spread(shape, b.low, b.high, 0.27); };
  add("matrix", left({3, 4}), right({3, 4}));
  add("size 0", left({0, 3}), right({0, 3}));
  add("size 0 broadcast", left({0, 3}), right({1, 1}));
  add("size 1", left({1}), right({1}));
  add("scalars", left({}), right({}));
  add("odd size", left({19}), right({19}));
  add("broadcast left", left({5}), right({3, 5}));
  add("broadcast right", left({3, 5}), right({5}));
  add("broadcast both", left({3, 1}), right({1, 5}));
  add("broadcast ranks", left({2, 1, 4}), right({3, 1}));
  add("broadcast scalar", left({2, 3}), right({}));
  add("transposed", transposed({5, 3}, a.low, a.high), right({5, 3}));
  add("transposed both", transposed({4, 3}, a.low, a.high), transposed({4, 3}, b.low, b.high, 0.27));
  add("strided", strided({3, 7}, a.low, a.high), right({3, 7}));
  add("sliced, flipped", sliced({2, 9}, a.low, a.high), flipped({2, 9}, b.low, b.high, 0.27));
  to.push_back({op, "repeated operand", [function](const Inputs& in) { return function(in[0], in[0]); }, {left({3, 3})}});
}

// Every third element is true.
Tensor thirds(const Shape& shape) {
  Tensor mask = Tensor::empty(shape, boolean);
  for (std::int64_t i = 0; i < mask.numel(); ++i) mask.mutable_data<bool>()[i] = i % 3 == 0;
  return mask;
}

void add_where(std::vector<Case>& to) {
  const auto add = [&](const char* what, Tensor condition, Tensor a, Tensor b) {
    to.push_back({"where",
                  what,
                  [condition = std::move(condition)](const Inputs& in) { return where(condition, in[0], in[1]); },
                  {std::move(a), std::move(b)}});
  };
  const auto a = [](const Shape& shape) { return spread(shape, -2, 2); };
  const auto b = [](const Shape& shape) { return spread(shape, -2, 2, 0.27); };
  add("matrix", thirds({3, 4}), a({3, 4}), b({3, 4}));
  add("size 0", thirds({0, 3}), a({0, 3}), b({3}));
  add("size 1", thirds({1}), a({1}), b({1}));
  add("broadcast condition", thirds({3, 1}), a({3, 5}), b({5}));
  add("broadcast all", thirds({2, 1, 1}), a({3, 1}), b({5}));
  add("scalars", thirds({7}), a({}), b({}));
  add("views", thirds({5, 3}).transpose(0, 1), transposed({3, 5}, -2, 2), strided({3, 5}, -2, 2, 0.27));
  add("sliced, flipped", thirds({3, 5}).flip(1), sliced({3, 5}, -2, 2), flipped({3, 5}, -2, 2, 0.27));
  add("odd size", thirds({19}), a({19}), b({19}));
  add("a scalar for all", thirds({3, 4}), a({3, 4}), b({}));
  add("one condition for all", thirds({}), a({3, 4}), b({4}));
  to.push_back({"where",
                "repeated operand",
                [](const Inputs& in) {
                  return where(thirds({3, 3}), in[0], in[0] * 2);
                },
                {spread({3, 3}, -2, 2)}});
}

void add_masked_fill(std::vector<Case>& to) {
  const auto add = [&](const char* what, Tensor mask, Tensor x) {
    to.push_back({"masked_fill",
                  what,
                  [mask = std::move(mask)](const Inputs& in) { return masked_fill(in[0], mask, -3.5); },
                  {std::move(x)}});
  };
  add("matrix", thirds({3, 4}), spread({3, 4}, -2, 2));
  add("size 0", thirds({0, 4}), spread({0, 4}, -2, 2));
  add("size 1", thirds({1}), spread({1}, -2, 2));
  add("broadcast mask", thirds({4}), spread({3, 4}, -2, 2));
  add("broadcast input", thirds({3, 4}), spread({3, 1}, -2, 2));
  add("transposed", thirds({5, 3}), transposed({5, 3}, -2, 2));
  add("strided", thirds({3, 5}), strided({3, 5}, -2, 2));
  add("sliced", thirds({3, 5}).flip(1), sliced({3, 5}, -2, 2));
  add("flipped", thirds({5, 3}).transpose(0, 1), flipped({3, 5}, -2, 2));
  add("odd size", thirds({19}), spread({19}, -2, 2));
  add("scalar", thirds({}), spread({}, -2, 2));
  to.push_back({"masked_fill",
                "repeated operand",
                [](const Inputs& in) {
                  return masked_fill(in[0], thirds({3, 4}), -3.5) * in[0];
                },
                {spread({3, 4}, -2, 2)}});
}

}  // namespace

void add_elementwise_cases(std::vector<Case>& to) {
  constexpr Range real{-2, 2}, positive{0.2, 3};
  add_binary(to, "add", add, real, real);
  add_unary(
      to, "add", "double, ", [](const Var& x) { return 1.5 + x + 2.5; }, real);
  add_binary(to, "sub", sub, real, real);
  add_unary(
      to, "sub", "double right, ", [](const Var& x) { return x - 1.5; }, real);
  add_unary(
      to, "sub", "double left, ", [](const Var& x) { return 1.5 - x; }, real);
  add_binary(to, "mul", mul, real, real);
  add_unary(
      to, "mul", "double, ", [](const Var& x) { return 3 * x * 0.7; }, real);
  add_binary(to, "div", div, real, positive);
  add_unary(
      to, "div", "double right, ", [](const Var& x) { return x / 0.7; }, real);
  add_unary(
      to, "div", "double left, ", [](const Var& x) { return 0.7 / x; }, positive);
  add_unary(to, "neg", "", neg, real);
  add_binary(to, "pow", pow, positive, real);
  to.push_back({"pow", "repeated operand x^x", [](const Inputs& in) { return pow(in[0], in[0]); }, {spread({7}, 0.3, 2)}});
  add_unary(
      to, "pow", "cubed, ", [](const Var& x) { return pow(x, 3); }, real);
  add_unary(
      to, "pow", "inverse root, ", [](const Var& x) { return pow(x, -0.5); }, positive);
  add_unary(
      to, "pow", "to the 0th, ", [](const Var& x) { return pow(x, 0); }, real);
  add_unary(to, "exp", "", exp, real);
  add_unary(to, "log", "", log, positive);
  add_unary(to, "log1p", "", log1p, {-0.8, 3});
  add_unary(to, "expm1", "", expm1, real);
  add_unary(to, "sqrt", "", sqrt, positive);
  add_unary(to, "rsqrt", "", rsqrt, positive);
  add_unary(to, "reciprocal", "", reciprocal, positive);
  add_unary(to, "reciprocal", "below 0, ", reciprocal, {-3, -0.2});
  add_unary(to, "square", "", square, real);
  add_unary(to, "abs", "", abs, real);
  add_unary(to, "sin", "", sin, {-4, 4});
  add_unary(to, "cos", "", cos, {-4, 4});
  add_unary(to, "erf", "", erf, real);
  add_unary(to, "tanh", "", tanh, real);
  add_unary(to, "sigmoid", "", sigmoid, {-4, 4});
  add_unary(to, "sign", "", sign, real);
  add_unary(to, "floor", "", floor, {0.1, 0.9});
  add_unary(to, "floor", "below 0, ", floor, {-1.9, -1.1});
  add_unary(to, "ceil", "", ceil, {0.1, 0.9});
  add_unary(to, "round", "", round, {0.6, 1.4});
  add_binary(to, "maximum", maximum, real, real);
  add_binary(to, "minimum", minimum, real, real);
  add_unary(
      to, "clamp", "both, ", [](const Var& x) { return clamp(x, -1.01, 1.02); }, real);
  add_unary(
      to, "clamp", "min, ", [](const Var& x) { return clamp(x, 0, {}); }, real);
  add_unary(
      to, "clamp", "max, ", [](const Var& x) { return clamp(x, {}, 0); }, real);
  add_where(to);
  add_masked_fill(to);
}

}  // namespace weft::test
