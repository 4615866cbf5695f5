#include "ops/case_values.hpp"
#include "ops/cases.hpp"
#include "weft/ops/elementwise.hpp"
#include "weft/ops/loss.hpp"

namespace weft::test {
namespace {

using Inputs = std::vector<Var>;

Tensor values(const Shape& shape, double start = 0.5) { return spread(shape, -2, 2, start); }

Tensor classes(std::initializer_list<std::int64_t> targets, const Shape& shape) { return Tensor::from(targets, shape); }

}  // namespace

void add_loss_cases(std::vector<Case>& to) {
  const auto row = [&](const char* variant, Tensor logits, Tensor targets, CrossEntropyOptions options = {}) {
    to.push_back({"cross_entropy",
                  variant,
                  [targets = std::move(targets), options](const Inputs& in) { return cross_entropy(in[0], targets, options); },
                  {std::move(logits)}});
  };
  const Tensor three = classes({0, 4, 2}, {3});
  row("mean", values({3, 5}), three);
  row("sum", values({3, 5}), three, {.reduction = LossReduction::sum});
  row("none", values({3, 5}), three, {.reduction = LossReduction::none});
  row("smoothing", values({3, 5}), three, {.label_smoothing = 0.1});
  row("all smoothing", values({3, 5}), three, {.label_smoothing = 1});
  row("ignored", values({3, 5}), classes({0, -100, 2}, {3}), {.label_smoothing = 0.2});
  row("ignored class 0, none", values({3, 5}), three, {.ignore_index = 0, .reduction = LossReduction::none});
  row("everything ignored", values({2, 3}), classes({-100, -100}, {2}));
  row("steps, i32", values({2, 3, 4}), classes({0, 1, 2, 3, 1, 1}, {2, 3}).to(i32), {.ignore_index = 1});
  row("one row", values({4}), classes({3}, {}));
  row("size 0", values({0, 4}), classes({}, {0}));
  row("size 1", values({1, 1}), classes({0}, {1}));
  row("wide", values({2, 37}), classes({36, 5}, {2}), {.label_smoothing = 0.1});
  row("transposed", transposed({3, 5}, -2, 2), three, {.label_smoothing = 0.1});
  row("strided", strided({3, 5}, -2, 2), three);
  to.push_back({"cross_entropy",
                "repeated operand",
                [three](const Inputs& in) { return cross_entropy(in[0] * in[0], three, {.label_smoothing = 0.1}); },
                {values({3, 5})}});
}

}  // namespace weft::test
