#pragma once
#include <array>
#include <functional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "ops/case_values.hpp"
#include "ops/cases.hpp"
#include "weft/ops/elementwise.hpp"

namespace weft::test {

/// An operation that makes one of the elements along some axes, and the range of its inputs.
struct ReductionCases {
  const char* op;
  std::string variant;
  std::function<Var(const Var&)> all;
  std::function<Var(const Var&, std::span<const int>, bool)> over;
  double low = -2, high = 2;
};

/// For an operation that takes any number of elements above 0.
inline void add_reduction(std::vector<Case>& to, const ReductionCases& f) {
  using Inputs = std::vector<Var>;
  const auto add = [&](const char* what, std::vector<int> axes, bool keepdim, Tensor x) {
    to.push_back({f.op,
                  f.variant + what,
                  [over = f.over, axes = std::move(axes), keepdim](const Inputs& in) { return over(in[0], axes, keepdim); },
                  {std::move(x)}});
  };
  const auto add_all = [&](const char* what, Tensor x) {
    to.push_back({f.op, f.variant + what, [all = f.all](const Inputs& in) { return all(in[0]); }, {std::move(x)}});
  };
  const auto values = [&](const Shape& shape) { return spread(shape, f.low, f.high); };
  add_all("all", values({3, 4}));
  add_all("all of one", values({1}));
  add_all("all of a scalar", values({}));
  add_all("all of a view", transposed({5, 3}, f.low, f.high));
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
  add("transposed", {0}, false, transposed({5, 3}, f.low, f.high));
  add("strided", {1}, false, strided({3, 7}, f.low, f.high));
  add("sliced", {0}, true, sliced({4, 5}, f.low, f.high));
  add("flipped", {1}, false, flipped({2, 9}, f.low, f.high));
  add("long row", {1}, false, values({2, 131}));
  add("long column", {0}, false, values({131, 2}));
  to.push_back({f.op,
                f.variant + "repeated operand",
                [over = f.over](const Inputs& in) {
                  constexpr std::array axes{1};
                  return over(in[0], axes, true) * in[0];
                },
                {values({3, 4})}});
}

}  // namespace weft::test
