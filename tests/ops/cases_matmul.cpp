#include "ops/case_values.hpp"
#include "ops/cases.hpp"
#include "weft/ops/matmul.hpp"
#include "weft/ops/shape.hpp"

namespace weft::test {
namespace {

using Inputs = std::vector<Var>;

Tensor values(const Shape& shape, double start = 0.5) { return spread(shape, -2, 2, start); }

using Binary = Var (*)(const Var&, const Var&);

void add_products_of_vectors(std::vector<Case>& to) {
  const auto row = [&](const char* op, Binary function, const char* variant, Tensor a, Tensor b) {
    to.push_back({op, variant, [function](const Inputs& in) { return function(in[0], in[1]); }, {std::move(a), std::move(b)}});
  };
  const auto mvs = [&](const char* variant, Tensor a, Tensor b) { row("mv", mv, variant, std::move(a), std::move(b)); };
  mvs("matrix", values({3, 4}), values({4}, 0.1));
  mvs("odd sizes", values({7, 13}), values({13}, 0.2));
  mvs("one row", values({1, 9}), values({9}, 0.3));
  mvs("one column", values({5, 1}), values({1}, 0.3));
  mvs("size 0 rows", values({0, 3}), values({3}));
  mvs("size 0 inside", values({2, 0}), values({0}));
  mvs("size 1", values({1, 1}), values({1}, 0.3));
  mvs("transposed", transposed({3, 4}, -2, 2), values({4}, 0.1));
  mvs("strided, flipped vector", strided({3, 5}, -2, 2), values({5}, 0.1).flip(0));
  mvs("sliced, column of a matrix", sliced({3, 5}, -2, 2), values({5, 3}, 0.1).select(1, 1));
  mvs("large enough for oneDNN", values({67, 41}), values({41}, 0.9));
  to.push_back({"mv",
                "repeated operand",
                [](const Inputs& in) { return mv(in[0], mv(in[0], in[1])); },
                {values({3, 3}), values({3}, 0.1)}});

  for (const auto& [op, function] : {std::pair<const char*, Binary>{"dot", dot}, {"outer", outer}}) {
    row(op, function, "vectors", values({4}), values({4}, 0.1));
    row(op, function, "odd size", values({13}), values({13}, 0.1));
    row(op, function, "three", values({3}), values({3}, 0.7));
    row(op, function, "size 0", values({0}), values({0}));
    row(op, function, "size 1", values({1}), values({1}, 0.1));
    row(op, function, "flipped", values({5}).flip(0), values({5}, 0.1));
    row(op, function, "every second element", values({6, 2}).select(1, 1), values({6}, 0.1));
    row(op, function, "rows of a matrix", values({2, 7}).select(0, 1), values({3, 7}, 0.1).select(0, 2));
    row(op, function, "columns of a matrix", values({5, 3}).select(1, 2), values({5, 2}, 0.1).select(1, 0));
    row(op, function, "middles", values({9}).slice(0, 2, 6), values({7}, 0.1).slice(0, 1, 5));
    row(op, function, "long", values({70}), values({70}, 0.9));
    to.push_back({op, "repeated operand", [f = function](const Inputs& in) { return f(in[0], in[0]); }, {values({4})}});
  }
  row("outer", outer, "two lengths", values({3}), values({5}, 0.1));
  row("outer", outer, "nothing on the right", values({3}), values({0}));
}

void add_bmms(std::vector<Case>& to) {
  const auto row = [&](const char* variant, Tensor a, Tensor b) {
    to.push_back({"bmm", variant, [](const Inputs& in) { return bmm(in[0], in[1]); }, {std::move(a), std::move(b)}});
  };
  row("batch", values({2, 3, 4}), values({2, 4, 5}, 0.1));
  row("odd sizes", values({3, 7, 5}), values({3, 5, 9}, 0.2));
  row("one matrix", values({1, 3, 4}), values({1, 4, 2}, 0.3));
  row("rows", values({4, 1, 3}), values({4, 3, 5}, 0.4));
  row("columns", values({4, 5, 3}), values({4, 3, 1}, 0.4));
  row("size 0 batch", values({0, 3, 4}), values({0, 4, 5}));
  row("size 0 inside", values({2, 3, 0}), values({2, 0, 5}));
  row("size 0 columns", values({2, 3, 4}), values({2, 4, 0}));
  row("size 1", values({1, 1, 1}), values({1, 1, 1}, 0.3));
  row("batch of transposed", values({2, 4, 3}).transpose(1, 2), values({2, 5, 4}, 0.1).transpose(1, 2));
  row("transposed batch", values({3, 2, 4}).transpose(0, 1), values({2, 4, 2}, 0.1));
  row("flipped batch", values({2, 3, 4}).flip(0), values({2, 4, 2}, 0.1));
  row("sliced matrices", values({2, 5, 6}).slice(1, 1, 4).slice(2, 2, 6), values({2, 4, 2}, 0.1));
  row("large enough for oneDNN", values({2, 17, 13}), values({2, 13, 19}, 0.9));
  to.push_back({"bmm", "repeated operand", [](const Inputs& in) { return bmm(in[0], in[0]); }, {values({2, 3, 3})}});
}

}  // namespace

void add_matmul_cases(std::vector<Case>& to) {
  add_bmms(to);
  add_products_of_vectors(to);
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
