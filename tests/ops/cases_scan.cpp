#include "ops/case_values.hpp"
#include "ops/cases.hpp"
#include "weft/ops/elementwise.hpp"
#include "weft/ops/scan.hpp"

namespace weft::test {

void add_scan_cases(std::vector<Case>& to) {
  const auto add = [&](const char* variant, int axis, Tensor x) {
    to.push_back({"cumsum", variant, [axis](const std::vector<Var>& in) { return cumsum(in[0], axis); }, {std::move(x)}});
  };
  const auto values = [](const Shape& shape) { return spread(shape, -2, 2); };
  add("vector", 0, values({5}));
  add("odd size", 0, values({17}));
  add("first axis", 0, values({3, 4}));
  add("last axis", -1, values({3, 4}));
  add("middle axis", 1, values({2, 3, 4}));
  add("scalar", 0, values({}));
  add("size 0", 0, values({0, 3}));
  add("size 0 of others", 1, values({0, 3}));
  add("size 1", 0, values({1}));
  add("axis of size 1", 1, values({3, 1, 2}));
  add("transposed", 0, transposed({5, 3}, -2, 2));
  add("strided", 1, strided({3, 7}, -2, 2));
  add("sliced", 0, sliced({4, 5}, -2, 2));
  add("flipped", 1, flipped({2, 9}, -2, 2));
  add("long row", 1, values({2, 131}));
  add("long column", 0, values({131, 2}));
  to.push_back({"cumsum",
                "repeated operand",
                [](const std::vector<Var>& in) { return cumsum(square(in[0]), 1) * in[0]; },
                {values({3, 4})}});
}

}  // namespace weft::test
