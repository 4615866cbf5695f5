#include "ops/case_values.hpp"
#include "ops/cases.hpp"
#include "weft/ops/elementwise.hpp"
#include "weft/ops/embedding.hpp"
#include "weft/ops/index.hpp"

namespace weft::test {
namespace {

using Inputs = std::vector<Var>;

Tensor values(const Shape& shape, double start = 0.5) { return spread(shape, -2, 2, start); }

Tensor index(std::initializer_list<std::int64_t> places, const Shape& shape) { return Tensor::from(places, shape); }
Tensor index(std::initializer_list<std::int64_t> places) { return index(places, {static_cast<std::int64_t>(places.size())}); }

void add_index_selects(std::vector<Case>& to) {
  const auto row = [&](const char* variant, Tensor x, int axis, Tensor places) {
    to.push_back({"index_select",
                  variant,
                  [axis, places = std::move(places)](const Inputs& in) { return index_select(in[0], axis, places); },
                  {std::move(x)}});
  };
  row("rows, some twice", values({5, 3}), 0, index({4, 0, 4, 2}));
  row("columns, i32", values({3, 7}), -1, index({6, 1, 1}).to(i32));
  row("middle axis", values({2, 4, 3}), 1, index({3, 3, 0, 1, 2}));
  row("vector", values({6}), 0, index({5, 2}));
  row("no index", values({3, 2}), 0, index({}));
  row("size 0", values({3, 0}), 0, index({2, 1}));
  row("size 1", values({1}), 0, index({0, 0, 0}));
  row("transposed", transposed({5, 3}, -2, 2), 0, index({1, 4, 1}));
  row("strided, other axis", strided({3, 5}, -2, 2), 1, index({4, 0}));
  row("flipped, three times the same", flipped({3, 5}, -2, 2), 1, index({2, 2, 2}));
  row("an index that is a view", values({6, 2}), 0, index({5, 9, 2, 9, 2, 9}, {3, 2}).select(1, 0));
  to.push_back({"index_select",
                "repeated operand",
                [](const Inputs& in) {
                  return index_select(in[0], 0, index({2, 0, 1})) * in[0];
                },
                {values({3, 2})}});
}

void add_gathers(std::vector<Case>& to) {
  const auto row = [&](const char* variant, Tensor x, int axis, Tensor places) {
    to.push_back({"gather",
                  variant,
                  [axis, places = std::move(places)](const Inputs& in) { return gather(in[0], axis, places); },
                  {std::move(x)}});
  };
  row("columns", values({3, 4}), 1, index({0, 3, 2, 2, 1, 1}, {3, 2}));
  row("rows, i32", values({3, 4}), 0, index({2, 0, 1, 1}, {1, 4}).to(i32));
  row("middle axis", values({2, 3, 2}), -2, index({2, 2, 0, 1, 1, 0, 2, 2}, {2, 2, 2}));
  row("fewer rows than the input", values({3, 4}), 1, index({3, 3, 3}, {1, 3}));
  row("more places than the axis", values({2, 2}), 1, index({0, 1, 1, 0, 1, 1, 1, 1, 0, 0}, {2, 5}));
  row("vector", values({6}), 0, index({5, 5, 1}));
  row("no index", values({2, 3}), 1, index({}, {2, 0}));
  row("size 0", values({0, 3}), 1, index({}, {0, 2}));
  row("size 1", values({1, 1}), 0, index({0, 0}, {2, 1}));
  row("transposed", transposed({4, 3}, -2, 2), 1, index({0, 2, 1, 1, 2, 2, 0, 0}, {4, 2}));
  row("an index that is a view", values({3, 4}), 1, index({0, 3, 2, 2, 1, 1}, {2, 3}).transpose(0, 1));
  to.push_back({"gather",
                "repeated operand",
                [](const Inputs& in) {
                  return gather(in[0], 1, index({1, 1, 0, 1}, {2, 2})) * in[0];
                },
                {values({2, 2})}});
}

void add_index_adds(std::vector<Case>& to) {
  const auto row = [&](const char* variant, Tensor x, int axis, Tensor places, Tensor source, double alpha = 1) {
    to.push_back(
        {"index_add",
         variant,
         [axis, places = std::move(places), alpha](const Inputs& in) { return index_add(in[0], axis, places, in[1], alpha); },
         {std::move(x), std::move(source)}});
  };
  row("rows, some twice", values({5, 3}), 0, index({4, 0, 4, 2}), values({4, 3}, 0.1));
  row("columns, i32", values({3, 7}), -1, index({6, 1, 1}).to(i32), values({3, 3}, 0.1));
  row("middle axis", values({2, 4, 3}), 1, index({3, 3, 0, 1, 2}), values({2, 5, 3}, 0.1));
  row("times alpha", values({4, 2}), 0, index({1, 1, 3}), values({3, 2}, 0.1), -0.5);
  row("alpha of 0", values({4, 2}), 0, index({1, 1, 3}), values({3, 2}, 0.1), 0);
  row("vector", values({6}), 0, index({5, 2}), values({2}, 0.1));
  row("no index", values({3, 2}), 0, index({}), values({0, 2}));
  row("size 0", values({3, 0}), 0, index({2, 1}), values({2, 0}));
  row("size 1", values({1}), 0, index({0, 0, 0}), values({3}, 0.1));
  row("wide rows", values({3, 33}), 0, index({2, 2, 0}), values({3, 33}, 0.1));
  row("transposed", transposed({5, 3}, -2, 2), 0, index({1, 4, 1}), values({3, 3}, 0.1));
  row("views of both", strided({3, 5}, -2, 2), 1, index({4, 0}), flipped({3, 2}, -2, 2, 0.1));
  row("an index that is a view", values({6, 2}), 0, index({5, 9, 2, 9, 2, 9}, {3, 2}).select(1, 0), values({3, 2}, 0.1));
  to.push_back({"index_add",
                "repeated operand",
                [](const Inputs& in) {
                  return index_add(in[0], 0, index({2, 0, 0}), in[0]) * in[0];
                },
                {values({3, 2})}});
}

void add_scatters(std::vector<Case>& to, const char* op, Var (*function)(const Var&, int, const Tensor&, const Var&)) {
  const auto row = [&](const char* variant, Tensor x, int axis, Tensor places, Tensor source) {
    to.push_back(
        {op,
         variant,
         [function, axis, places = std::move(places)](const Inputs& in) { return function(in[0], axis, places, in[1]); },
         {std::move(x), std::move(source)}});
  };
  row("columns", values({3, 4}), 1, index({0, 3, 2, 2, 1, 1}, {3, 2}), values({3, 2}, 0.1));
  row("rows, i32", values({3, 4}), 0, index({2, 0, 1, 1}, {1, 4}).to(i32), values({1, 4}, 0.1));
  row("middle axis", values({2, 3, 2}), -2, index({2, 2, 0, 1, 1, 0, 2, 2}, {2, 2, 2}), values({2, 2, 2}, 0.1));
  row("fewer rows than the input", values({3, 4}), 1, index({3, 3, 3}, {1, 3}), values({1, 3}, 0.1));
  row("less than the source", values({3, 4}), 1, index({3, 1, 0, 3}, {2, 2}), values({3, 5}, 0.1));
  row("more places than the axis", values({2, 2}), 1, index({0, 1, 1, 0, 1, 1, 1, 1, 0, 0}, {2, 5}), values({2, 5}, 0.1));
  row("vector", values({6}), 0, index({5, 5, 1}), values({3}, 0.1));
  row("no index", values({2, 3}), 1, index({}, {2, 0}), values({2, 0}));
  row("no index, a source", values({2, 3}), 1, index({}, {2, 0}), values({2, 2}, 0.1));
  row("size 0", values({0, 3}), 1, index({}, {0, 2}), values({0, 2}));
  row("size 1", values({1, 1}), 0, index({0, 0}, {2, 1}), values({2, 1}, 0.1));
  row("transposed", transposed({4, 3}, -2, 2), 1, index({0, 2, 1, 1, 2, 2, 0, 0}, {4, 2}), values({4, 2}, 0.1));
  row("views of both", strided({3, 5}, -2, 2), 0, index({0, 2, 1, 1, 2, 2}, {2, 3}), flipped({2, 3}, -2, 2, 0.1));
  row("an index that is a view", values({3, 4}), 1, index({0, 3, 2, 2, 1, 1}, {2, 3}).transpose(0, 1), values({3, 2}, 0.1));
  to.push_back({op,
                "repeated operand",
                [function](const Inputs& in) {
                  return function(in[0], 1, index({1, 1, 0, 1}, {2, 2}), in[0]) * in[0];
                },
                {values({2, 2})}});
}

void add_embeddings(std::vector<Case>& to) {
  const auto row = [&](const char* variant, Tensor table, Tensor words) {
    to.push_back({"embedding",
                  variant,
                  [words = std::move(words)](const Inputs& in) { return embedding(in[0], words); },
                  {std::move(table)}});
  };
  row("a sentence", values({6, 3}), index({1, 5, 1, 0}));
  row("a batch, i32", values({6, 3}), index({1, 5, 1, 0, 2, 2}, {2, 3}).to(i32));
  row("one word", values({6, 3}), index({4}, {}));
  row("wide rows", values({5, 33}), index({4, 4, 0}));
  row("rows of a matrix each", values({4, 2, 3}), index({3, 0, 3}));
  row("no words", values({6, 3}), index({}, {0, 4}));
  row("size 0", values({6, 0}), index({1, 2}));
  row("size 1", values({1, 1}), index({0, 0}));
  row("transposed table", transposed({5, 3}, -2, 2), index({4, 2, 2}));
  row("sliced table", sliced({5, 3}, -2, 2), index({4, 2, 2}));
  row("an index that is a view", values({6, 3}), index({1, 5, 1, 0, 2, 2}, {2, 3}).transpose(0, 1));
  to.push_back({"embedding",
                "repeated operand",
                [](const Inputs& in) {
                  return embedding(in[0], index({1, 1, 2})) * in[0];
                },
                {values({3, 2})}});
  // The padding row is looked up like others but isn't learned: only that it isn't used can be checked by differences.
  to.push_back({"embedding",
                "padding that doesn't occur",
                [](const Inputs& in) {
                  return embedding(in[0], index({1, 3, 1}), 0);
                },
                {values({4, 2})}});
}

}  // namespace

void add_index_cases(std::vector<Case>& to) {
  add_index_selects(to);
  add_gathers(to);
  add_index_adds(to);
  add_scatters(to, "scatter_add", scatter_add);
  add_scatters(to, "scatter", scatter);
  add_embeddings(to);
}

}  // namespace weft::test
