#pragma once
#include <string>
#include <utility>
#include <vector>

#include "ops/case_values.hpp"
#include "ops/cases.hpp"
#include "weft/ops/elementwise.hpp"

namespace weft::test {

struct Range {
  double low, high;
};

/// A function of one argument on the shapes and views that all have to bear.
inline void add_unary(std::vector<Case>& to, const char* op, const std::string& variant, Var (*function)(const Var&), Range r) {
  const auto add = [&](const char* what, Tensor x) {
    to.push_back({op, variant + what, [function](const std::vector<Var>& in) { return function(in[0]); }, {std::move(x)}});
  };
  add("matrix", spread({3, 4}, r.low, r.high));
  add("size 0", spread({2, 0, 3}, r.low, r.high));
  add("size 1", spread({1}, r.low, r.high, 0.8));
  add("scalar", spread({}, r.low, r.high, 0.3));
  add("odd size", spread({17}, r.low, r.high, 0.1));
  add("more than some vectors", spread({3, 43}, r.low, r.high, 0.9));
  add("four dimensions", spread({2, 1, 3, 3}, r.low, r.high, 0.7));
  add("transposed", transposed({5, 3}, r.low, r.high));
  add("permuted", spread({2, 3, 4}, r.low, r.high, 0.2).permute({2, 0, 1}));
  add("strided", strided({3, 7}, r.low, r.high));
  add("sliced", sliced({3, 5}, r.low, r.high));
  add("flipped", flipped({2, 9}, r.low, r.high));
  to.push_back({op,
                variant + "repeated operand",
                [function](const std::vector<Var>& in) { return function(in[0]) * in[0] + in[0]; },
                {spread({3, 4}, r.low, r.high)}});
}

}  // namespace weft::test
