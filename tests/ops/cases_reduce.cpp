#include <array>

#include "ops/case_values.hpp"
#include "ops/cases.hpp"
#include "weft/ops/elementwise.hpp"
#include "weft/ops/reduce.hpp"

namespace weft::test {
namespace {

using Inputs = std::vector<Var>;

struct Function {
  const char* op;
  Var (*all)(const Var&);
  Var (*over)(const Var&, std::span<const int>, bool);
};

void add_reduction(std::vector<Case>& to, const Function& f) {
  const auto add = [&](const char* what, std::vector<int> axes, bool keepdim, Tensor x) {
    to.push_back({f.op,
                  what,
                  [over = f.over, axes = std::move(axes), keepdim](const Inputs& in) { return over(in[0], axes, keepdim); },
                  {std::move(x)}});
  };
  const auto add_all = [&](const char* what, Tensor x) {
    to.push_back({f.op, what, [all = f.all](const Inputs& in) { return all(in[0]); }, {std::move(x)}});
  };
  const auto values = [](const Shape& shape) { return spread(shape, -2, 2); };
  add_all("all", values({3, 4}));
  add_all("all of one", values({1}));
  add_all("all of a scalar", values({}));
  add_all("all of a view", transposed({5, 3}, -2, 2));
  add("no axis", {}, false, values({3, 4}));
  add("first axis", {0}, false, values({3, 5}));
  add("last axis", {-1}, false, values({3, 5}));
  add("middle axis kept", {1}, true, values({2, 3, 4}));
  add("two axes", {0, 2}, false, values({2, 3, 4}));
  add("axes in any order", {-1, 0}, true, values({2, 3, 4}));
  add("all axes", {0, 1}, false, values({3, 7}));
  add("axis of size 1", {1}, false, values({3, 1, 2}));
  add("odd size", {0}, false, values({17}));
  add("size 0 of others", {1}, false, values({0, 3}));
  add("transposed", {0}, false, transposed({5, 3}, -2, 2));
  add("strided", {1}, false, strided({3, 7}, -2, 2));
  add("sliced", {0}, true, sliced({4, 5}, -2, 2));
  add("flipped", {1}, false, flipped({2, 9}, -2, 2));
  add("long row", {1}, false, values({2, 131}));
  add("long column", {0}, false, values({131, 2}));
  to.push_back({f.op,
                "repeated operand",
                [over = f.over](const Inputs& in) {
                  constexpr std::array axes{1};
                  return over(in[0], axes, true) * in[0];
                },
                {values({3, 4})}});
}

}  // namespace

void add_reduce_cases(std::vector<Case>& to) {
  const auto nothing = [&](const Function& f) {
    to.push_back({f.op, "size 0", [all = f.all](const Inputs& in) { return all(in[0]); }, {spread({0, 3}, -2, 2)}});
  };
  const Function sums{"sum", sum, sum}, means{"mean", mean, mean}, maxima{"max", max, max},
      logsumexps{"logsumexp", logsumexp, logsumexp};
  add_reduction(to, sums);
  nothing(sums);
  add_reduction(to, means);
  add_reduction(to, maxima);
  add_reduction(to, logsumexps);
}

}  // namespace weft::test
