#include "ops/case_values.hpp"
#include "ops/cases.hpp"
#include "weft/ops/matmul.hpp"
#include "weft/ops/shape.hpp"

namespace weft::test {
namespace {

using Inputs = std::vector<Var>;

Tensor values(const Shape& shape, double start = 0.5) { return spread(shape, -2, 2, start); }

}  // namespace

void add_matmul_cases(std::vector<Case>& to) {
  const auto product = [&](const char* variant, Tensor a, Tensor b) {
    to.push_back({"matmul", variant, [](const Inputs& in) { return matmul(in[0], in[1]); }, {std::move(a), std::move(b)}});
  };
  product("matrices", values({3, 4}), values({4, 5}, 0.1));
  product("odd sizes", values({7, 13}), values({13, 9}, 0.2));
  product("size 1", values({1, 1}), values({1, 1}, 0.3));
  product("size 0 rows", values({0, 3}), values({3, 2}));
  product("size 0 columns", values({2, 3}), values({3, 0}));
  product("size 0 inside", values({2, 0}), values({0, 3}));
  product("batch", values({2, 3, 4}), values({2, 4, 5}, 0.4));
  product("batch broadcast left", values({3, 4}), values({2, 4, 5}, 0.6));
  product("batch broadcast right", values({2, 3, 4}), values({4, 5}, 0.7));
  product("batch broadcast both", values({2, 1, 3, 4}), values({1, 3, 4, 2}, 0.8));
  product("transposed left", transposed({3, 4}, -2, 2), values({4, 5}, 0.1));
  product("transposed right", values({3, 4}), transposed({4, 5}, -2, 2, 0.1));
  product("strided and sliced", strided({3, 4}, -2, 2), sliced({4, 5}, -2, 2, 0.1));
  product("large enough for oneDNN", values({17, 33}), values({33, 19}, 0.9));
  product("transposed batch", values({2, 3, 4}).transpose(0, 1), values({3, 4, 2}, 0.9));
  to.push_back({"matmul", "repeated operand", [](const Inputs& in) { return matmul(in[0], in[0]); }, {values({4, 4})}});
  to.push_back({"matmul",
                "one weight many times",
                [](const Inputs& in) { return matmul(matmul(matmul(in[0], in[1]), in[1]), in[1]); },
                {values({3, 4}), values({4, 4}, 0.2)}});

  const auto layer = [&](const char* variant, std::vector<Tensor> inputs) {
    to.push_back({"linear", variant, [](const Inputs& in) { return linear(in[0], in[1], in.size() > 2 ? in[2] : Var()); },
                  std::move(inputs)});
  };
  layer("with bias", {values({3, 4}), values({5, 4}, 0.1), values({5}, 0.2)});
  layer("without bias", {values({3, 4}), values({5, 4}, 0.1)});
  layer("three dimensions", {values({2, 3, 4}), values({5, 4}, 0.1), values({5}, 0.2)});
  layer("a vector", {values({4}), values({5, 4}, 0.1), values({5}, 0.2)});
  layer("size 0", {values({0, 4}), values({5, 4}, 0.1), values({5}, 0.2)});
  layer("no features", {values({3, 0}), values({5, 0}), values({5}, 0.2)});
  layer("size 1", {values({1, 1}), values({1, 1}, 0.1), values({1}, 0.2)});
  layer("views", {transposed({3, 4}, -2, 2), sliced({5, 4}, -2, 2, 0.1), values({5}, 0.2).flip(0)});
  layer("large enough for oneDNN", {values({17, 33}), values({19, 33}, 0.1), values({19}, 0.2)});
  to.push_back({"linear",
                "one weight at many steps",
                [](const Inputs& in) {
                  Var x = in[0];
                  for (int step = 0; step < 3; ++step) x = linear(x, in[1], in[2]);
                  return x;
                },
                {values({2, 3}), values({3, 3}, 0.1), values({3}, 0.2)}});
  to.push_back({"linear", "repeated operand", [](const Inputs& in) { return linear(in[0], in[0]); }, {values({3, 4})}});
  to.push_back({"linear",
                "part of a weight",
                [](const Inputs& in) { return linear(slice(in[0], 1, 0, 2), slice(in[1], 1, 1, 3)); },
                {values({3, 4}), values({5, 4}, 0.1)}});
}

}  // namespace weft::test
