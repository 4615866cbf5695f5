#include "ops/case_values.hpp"
#include "ops/cases.hpp"
#include "weft/ops/elementwise.hpp"
#include "weft/ops/softmax.hpp"

namespace weft::test {
namespace {

using Inputs = std::vector<Var>;

Tensor values(const Shape& shape, double start = 0.5) { return spread(shape, -2, 2, start); }

}  // namespace

void add_softmax_cases(std::vector<Case>& to) {
  const auto rows = [&](const char* op, Var (*function)(const Var&, int)) {
    const auto row = [&](const char* variant, Tensor x, int axis) {
      to.push_back({op, variant, [function, axis](const Inputs& in) { return function(in[0], axis); }, {std::move(x)}});
    };
    row("last axis", values({3, 5}), -1);
    row("first axis", values({3, 5}), 0);
    row("middle axis", values({2, 3, 4}), 1);
    row("one vector width and more", values({2, 37}), 1);
    row("size 1", values({3, 1}), 1);
    row("size 0", values({0, 4}), -1);
    row("no columns", values({2, 0}), -1);
    row("a scalar", values({}), -1);
    row("transposed", transposed({3, 5}, -2, 2), 1);
    row("strided", strided({3, 5}, -2, 2), 1);
    row("a wide range", spread({2, 9}, -10, 10), 1);
    to.push_back(
        {op, "repeated operand", [function](const Inputs& in) { return function(in[0], -1) * in[0]; }, {values({3, 4})}});
  };
  rows("softmax", softmax);
  rows("log_softmax", log_softmax);

  const auto masked = [&](const char* variant, Tensor x, Tensor mask) {
    to.push_back({"masked_softmax",
                  variant,
                  [mask = std::move(mask)](const Inputs& in) { return masked_softmax(in[0], mask); },
                  {std::move(x)}});
  };
  masked("rows, one closed", values({3, 5}), mask_of({3, 5}));
  masked("mask of one row for all", values({3, 5}), mask_of({5}));
  masked("mask broadcast over queries", values({2, 3, 4}), mask_of({2, 1, 4}));
  masked("wide", values({2, 37}), mask_of({2, 37}));
  masked("size 0", values({0, 4}), mask_of({0, 4}));
  masked("size 1", values({1, 1}), Tensor::from<bool>({true}, {1, 1}));
  masked("flipped", flipped({3, 5}, -2, 2), mask_of({3, 5}));
  masked("a scalar", values({}), Tensor::from<bool>({true}, {}));
  masked("everything closed", values({2, 3}), Tensor::zeros({2, 3}, boolean));
  masked("everything open", values({2, 3}), Tensor::full({2, 3}, 1, boolean));
  to.push_back({"masked_softmax",
                "repeated operand",
                [](const Inputs& in) {
                  return masked_softmax(in[0], mask_of({3, 4})) * in[0];
                },
                {values({3, 4})}});
  masked("transposed", transposed({3, 5}, -2, 2), mask_of({5, 3}).transpose(0, 1));
}

}  // namespace weft::test
