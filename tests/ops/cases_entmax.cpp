#include "ops/case_values.hpp"
#include "ops/cases.hpp"
#include "weft/ops/elementwise.hpp"
#include "weft/ops/entmax.hpp"

namespace weft::test {
namespace {

using Inputs = std::vector<Var>;

Tensor values(const Shape& shape, double start = 0.5) { return spread(shape, -1, 1, start); }

}  // namespace

void add_entmax_cases(std::vector<Case>& to) {
  const auto rows = [&](const char* op, Var (*function)(const Var&, int, const Tensor&)) {
    const auto row = [&](const char* variant, Tensor x, int axis, Tensor mask = {}) {
      to.push_back({op,
                    variant,
                    [function, axis, mask = std::move(mask)](const Inputs& in) { return function(in[0], axis, mask); },
                    {std::move(x)}});
    };
    row("last axis", values({3, 5}), -1);
    row("first axis", values({3, 5}), 0);
    row("middle axis", values({2, 3, 4}), 1);
    row("wide", values({2, 37}), 1);
    row("size 1", values({3, 1}), 1);
    row("size 0", values({0, 4}), -1);
    row("no columns", values({2, 0}), -1);
    row("a scalar", values({}), -1);
    row("transposed", transposed({3, 5}, -1, 1), 1);
    row("strided", strided({3, 5}, -1, 1), 1);
    row("one place takes all", spread({2, 9}, -30, 30), 1);
    row("a mask, one row closed", values({3, 5}), -1, mask_of({3, 5}));
    row("a mask of one row for all", flipped({3, 5}, -1, 1), -1, mask_of({5}));
    row("a mask over a middle axis", values({2, 3, 4}), 1, mask_of({2, 3, 1}));
    row("a mask that closes everything", values({2, 3}), -1, Tensor::zeros({2, 3}, boolean));
    to.push_back({op,
                  "repeated operand",
                  [function](const Inputs& in) { return function(in[0], -1, Tensor()) * in[0]; },
                  {values({3, 4})}});
  };
  rows("sparsemax", sparsemax);
  rows("entmax15", entmax15);
}

}  // namespace weft::test
