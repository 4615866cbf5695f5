#include "ops/case_values.hpp"
#include "ops/cases.hpp"
#include "weft/ops/elementwise.hpp"
#include "weft/ops/sort.hpp"

namespace weft::test {
namespace {

using Inputs = std::vector<Var>;

// The elements of each input lie further apart than the step of a central difference.
Tensor values(const Shape& shape) { return spread(shape, -2, 2); }

void add_sorts(std::vector<Case>& to) {
  const auto add = [&](const char* variant, int axis, bool descending, Tensor x) {
    to.push_back({"sort",
                  variant,
                  [axis, descending](const Inputs& in) { return sort(in[0], axis, descending).values; },
                  {std::move(x)}});
  };
  add("vector", 0, false, values({5}));
  add("descending", 0, true, values({5}));
  add("odd size", 0, false, values({17}));
  add("first axis", 0, false, values({3, 4}));
  add("last axis", -1, true, values({3, 4}));
  add("middle axis", 1, false, values({2, 3, 4}));
  add("scalar", 0, false, values({}));
  add("size 0", 0, false, values({0, 3}));
  add("size 0 of others", 1, true, values({0, 3}));
  add("size 1", 0, false, values({1}));
  add("axis of size 1", 1, true, values({3, 1, 2}));
  add("transposed", 0, false, transposed({5, 3}, -2, 2));
  add("strided", 1, true, strided({3, 7}, -2, 2));
  add("sliced", 0, false, sliced({4, 5}, -2, 2));
  add("flipped", 1, true, flipped({2, 9}, -2, 2));
  to.push_back(
      {"sort", "repeated operand", [](const Inputs& in) { return sort(square(in[0]), 1).values * in[0]; }, {values({3, 4})}});
}

void add_topks(std::vector<Case>& to) {
  const auto add = [&](const char* variant, std::int64_t k, int axis, bool largest, bool sorted, Tensor x) {
    to.push_back(
        {"topk", variant, [=](const Inputs& in) { return topk(in[0], k, axis, largest, sorted).values; }, {std::move(x)}});
  };
  add("vector", 2, 0, true, true, values({5}));
  add("smallest", 2, 0, false, true, values({5}));
  add("unsorted", 3, -1, true, false, values({2, 7}));
  add("smallest, unsorted", 3, 0, false, false, values({7, 2}));
  add("one", 1, 1, true, true, values({3, 4}));
  add("all", 4, 1, true, true, values({3, 4}));
  add("none", 0, 1, true, true, values({3, 4}));
  add("middle axis", 2, 1, true, true, values({2, 3, 4}));
  add("odd size", 8, 0, false, true, values({17}));
  add("scalar", 1, 0, true, true, values({}));
  add("size 0", 0, 0, true, true, values({0, 3}));
  add("size 0 of others", 2, 1, true, true, values({0, 3}));
  add("size 1", 1, 0, true, true, values({1}));
  add("transposed", 2, 0, true, true, transposed({5, 3}, -2, 2));
  add("strided", 3, 1, false, true, strided({3, 7}, -2, 2));
  add("flipped", 4, 1, true, true, flipped({2, 9}, -2, 2));
  to.push_back({"topk",
                "repeated operand",
                [](const Inputs& in) { return topk(square(in[0]), 1, 1).values * in[0]; },
                {values({3, 4})}});
}

}  // namespace

void add_sort_cases(std::vector<Case>& to) {
  add_sorts(to);
  add_topks(to);
}

}  // namespace weft::test
