#include "ops/case_values.hpp"
#include "ops/cases.hpp"
#include "weft/ops/dropout.hpp"
#include "weft/ops/elementwise.hpp"

namespace weft::test {

void add_dropout_cases(std::vector<Case>& to) {
  using Inputs = std::vector<Var>;
  const auto row = [&](const char* variant, double p, Tensor x) {
    to.push_back({"dropout", variant, [p](const Inputs& in) { return dropout(in[0], p); }, {std::move(x)}});
  };
  row("half", 0.5, spread({6, 9}, -2, 2));
  row("a tenth", 0.1, spread({3, 4, 5}, -2, 2));
  row("wide rows", 0.3, spread({2, 131}, -2, 2));
  row("nothing dropped", 0, spread({3, 4}, -2, 2));
  row("all dropped", 1, spread({3, 4}, -2, 2));
  row("scalar", 0.5, spread({}, -2, 2));
  row("size 0", 0.5, spread({0, 5}, -2, 2));
  row("rows of size 0", 0.5, spread({5, 0}, -2, 2));
  row("size 1", 0.5, spread({1}, -2, 2));
  row("transposed", 0.5, transposed({5, 3}, -2, 2));
  row("strided", 0.5, strided({3, 7}, -2, 2));
  to.push_back({"dropout",
                "repeated operand",
                [](const Inputs& in) { return dropout(in[0], 0.3) * in[0] + dropout(in[0], 0.3); },
                {spread({4, 5}, -2, 2)}});
}

}  // namespace weft::test
