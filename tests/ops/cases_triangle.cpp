#include "ops/case_values.hpp"
#include "ops/cases.hpp"
#include "weft/ops/elementwise.hpp"
#include "weft/ops/triangle.hpp"

namespace weft::test {
namespace {

using Inputs = std::vector<Var>;

Tensor values(const Shape& shape, double start = 0.5) { return spread(shape, -2, 2, start); }

void add_triangles(std::vector<Case>& to, const char* op, Var (*part)(const Var&, std::int64_t)) {
  const auto row = [&](const char* variant, Tensor x, std::int64_t diagonal) {
    to.push_back({op, variant, [part, diagonal](const Inputs& in) { return part(in[0], diagonal); }, {std::move(x)}});
  };
  row("square", values({4, 4}), 0);
  row("wide", values({3, 7}), 0);
  row("tall", values({7, 3}), 0);
  row("above", values({4, 5}), 2);
  row("below", values({5, 4}), -2);
  row("beyond all", values({3, 4}), 100);
  row("beyond nothing", values({3, 4}), -100);
  row("batch", values({2, 3, 3}), 1);
  row("two batches", values({2, 2, 3, 2}), -1);
  row("size 0", values({0, 3}), 0);
  row("no columns", values({3, 0}), 0);
  row("size 1", values({1, 1}), 0);
  row("transposed", transposed({5, 3}, -2, 2), 0);
  row("strided", strided({3, 7}, -2, 2), 1);
  row("flipped", flipped({2, 9}, -2, 2), 3);
  to.push_back({op,
                "repeated operand",
                [part](const Inputs& in) { return part(in[0], 0) * part(in[0], -1) * in[0]; },
                {values({3, 3})}});
}

void add_diagonals(std::vector<Case>& to) {
  const auto row = [&](const char* variant, Tensor x, std::int64_t offset = 0, int a = 0, int b = 1) {
    to.push_back({"diagonal", variant, [=](const Inputs& in) { return diagonal(in[0], offset, a, b); }, {std::move(x)}});
  };
  row("square", values({4, 4}));
  row("wide, above", values({3, 7}), 2);
  row("tall, below", values({7, 3}), -3);
  row("batch", values({2, 3, 4}), 0, -2, -1);
  row("batch behind", values({3, 4, 2}), 1);
  row("outer axes", values({3, 2, 4}), -1, 0, 2);
  row("axes exchanged", values({3, 4}), 1, 1, 0);
  row("last and first of four", values({2, 3, 2, 4}), 1, 3, 0);
  row("beyond", values({3, 4}), 4);
  row("size 0", values({0, 3}));
  row("size 0 beside", values({3, 0, 3}), 0, 0, 2);
  row("size 1", values({1, 1}));
  row("transposed", transposed({5, 3}, -2, 2), -1);
  row("sliced", sliced({3, 5}, -2, 2), 1);
  row("flipped", flipped({2, 9}, -2, 2), 3);
  to.push_back({"diagonal",
                "repeated operand",
                [](const Inputs& in) { return diagonal(in[0]) * diagonal(in[0], -1) * in[0]; },
                {values({4, 3})}});
}

}  // namespace

void add_triangle_cases(std::vector<Case>& to) {
  add_triangles(to, "tril", tril);
  add_triangles(to, "triu", triu);
  add_diagonals(to);
}

}  // namespace weft::test
