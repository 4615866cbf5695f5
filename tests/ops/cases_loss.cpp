#include "ops/case_values.hpp"
#include "ops/cases.hpp"
#include "weft/ops/elementwise.hpp"
#include "weft/ops/loss.hpp"
#include "weft/ops/softmax.hpp"

namespace weft::test {
namespace {

using Inputs = std::vector<Var>;

Tensor values(const Shape& shape, double start = 0.5) { return spread(shape, -2, 2, start); }

Tensor classes(std::initializer_list<std::int64_t> targets, const Shape& shape) { return Tensor::from(targets, shape); }

// What isn't an input, in the type of the inputs.
Tensor as(const Var& x, const Tensor& given) { return given.defined() ? given.to(x.dtype()) : given; }

}  // namespace

void add_loss_cases(std::vector<Case>& to) {
  const auto row = [&](const char* variant, Tensor logits, Tensor targets, CrossEntropyOptions options = {}) {
    to.push_back({"cross_entropy",
                  variant,
                  [targets = std::move(targets), options](const Inputs& in) {
                    CrossEntropyOptions with = options;
                    with.weight = as(in[0], options.weight);
                    return cross_entropy(in[0], targets, with);
                  },
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
  const Tensor weight = spread({5}, 0.2, 2);
  row("weight", values({3, 5}), three, {.weight = weight});
  row("weight, sum", values({3, 5}), three, {.weight = weight, .reduction = LossReduction::sum});
  row("weight, ignored, none", values({3, 5}), classes({0, -100, 2}, {3}),
      {.weight = weight, .reduction = LossReduction::none});
  row("weight, smoothing", values({3, 5}), three, {.weight = weight, .label_smoothing = 0.1});
  row("weight, smoothing, ignored, none", values({3, 5}), three,
      {.ignore_index = 4, .weight = weight, .label_smoothing = 0.3, .reduction = LossReduction::none});
  row("weight, all smoothing", values({3, 5}), three, {.weight = weight, .label_smoothing = 1});
  row("weight, everything ignored", values({2, 5}), classes({-100, -100}, {2}), {.weight = weight, .label_smoothing = 0.1});
  row("weight, steps", values({2, 2, 5}), classes({0, 1, 4, 1}, {2, 2}), {.weight = weight, .label_smoothing = 0.2});
  row("weight, strided", strided({3, 5}, -2, 2), three, {.weight = weight, .label_smoothing = 0.1});
  row("weight, size 0", values({0, 5}), classes({}, {0}), {.weight = weight, .label_smoothing = 0.1});
  row("transposed", transposed({3, 5}, -2, 2), three, {.label_smoothing = 0.1});
  row("strided", strided({3, 5}, -2, 2), three);
  to.push_back({"cross_entropy",
                "repeated operand",
                [three](const Inputs& in) { return cross_entropy(in[0] * in[0], three, {.label_smoothing = 0.1}); },
                {values({3, 5})}});

  const auto nll = [&](const char* variant, Tensor log_probs, Tensor targets, NLLLossOptions options = {}) {
    to.push_back({"nll_loss",
                  variant,
                  [targets = std::move(targets), options](const Inputs& in) {
                    NLLLossOptions with = options;
                    with.weight = as(in[0], options.weight);
                    return nll_loss(in[0], targets, with);
                  },
                  {std::move(log_probs)}});
  };
  nll("mean", values({3, 5}), three);
  nll("sum", values({3, 5}), three, {.reduction = LossReduction::sum});
  nll("none", values({3, 5}), three, {.reduction = LossReduction::none});
  nll("weight", values({3, 5}), three, {.weight = weight});
  nll("weight, ignored, none", values({3, 5}), classes({0, -100, 2}, {3}),
      {.weight = weight, .reduction = LossReduction::none});
  nll("ignored class 0", values({3, 5}), three, {.ignore_index = 0, .weight = weight});
  nll("everything ignored", values({2, 3}), classes({-100, -100}, {2}));
  nll("steps, i32", values({2, 3, 4}), classes({0, 1, 2, 3, 1, 1}, {2, 3}).to(i32), {.ignore_index = 1});
  nll("one row", values({4}), classes({3}, {}));
  nll("size 0", values({0, 4}), classes({}, {0}));
  nll("no classes", values({0, 0}), classes({}, {0}));
  nll("size 1", values({1, 1}), classes({0}, {1}));
  nll("wide", values({2, 37}), classes({36, 5}, {2}));
  nll("transposed", transposed({3, 5}, -2, 2), three, {.weight = weight});
  nll("strided", strided({3, 5}, -2, 2), three);
  nll("sliced", sliced({3, 5}, -2, 2), three);
  nll("flipped", flipped({3, 5}, -2, 2), three);
  to.push_back({"nll_loss",
                "of log_softmax, repeated operand",
                [three](const Inputs& in) { return nll_loss(log_softmax(in[0] * in[0], -1), three); },
                {values({3, 5})}});

  const auto bce = [&](const char* variant, Tensor logits, Tensor target, BCEWithLogitsOptions options = {}) {
    to.push_back({"binary_cross_entropy_with_logits",
                  variant,
                  [options](const Inputs& in) {
                    BCEWithLogitsOptions with = options;
                    with.weight = as(in[0], options.weight);
                    with.pos_weight = as(in[0], options.pos_weight);
                    return binary_cross_entropy_with_logits(in[0], in[1], with);
                  },
                  {std::move(logits), std::move(target)}});
  };
  const auto probabilities = [](const Shape& shape, double start = 0.2) { return spread(shape, 0.05, 0.95, start); };
  bce("mean", values({3, 5}), probabilities({3, 5}));
  bce("sum", values({3, 5}), probabilities({3, 5}), {.reduction = LossReduction::sum});
  bce("none", values({3, 5}), probabilities({3, 5}), {.reduction = LossReduction::none});
  bce("weight for each element", values({3, 5}), probabilities({3, 5}), {.weight = spread({3, 5}, 0.1, 2)});
  bce("weight broadcast over rows", values({3, 5}), probabilities({3, 5}), {.weight = weight});
  bce("weight for each row", values({3, 5}), probabilities({3, 5}), {.weight = spread({3, 1}, 0.1, 2)});
  bce("pos_weight", values({3, 5}), probabilities({3, 5}), {.pos_weight = weight});
  bce("both weights, none", values({2, 3, 5}), probabilities({2, 3, 5}),
      {.weight = spread({3, 1}, 0.1, 2), .pos_weight = weight, .reduction = LossReduction::none});
  bce("far from 0", spread({3, 5}, -60, 60), probabilities({3, 5}));
  bce("logits of 0", Tensor::zeros({2, 3}, f64), probabilities({2, 3}));
  bce("targets 0 and 1", values({2, 2}), Tensor::from<double>({0, 1, 1, 0}, {2, 2}));
  bce("scalar", values({}), probabilities({}));
  bce("size 0", values({0, 4}), probabilities({0, 4}));
  bce("size 1", values({1}), probabilities({1}));
  bce("wide", values({2, 37}), probabilities({2, 37}));
  bce("transposed and strided", transposed({3, 5}, -2, 2), strided({3, 5}, 0.05, 0.95, 0.2));
  bce("flipped and sliced", flipped({3, 5}, -2, 2), sliced({3, 5}, 0.05, 0.95, 0.2));
  to.push_back({"binary_cross_entropy_with_logits",
                "repeated operand",
                [](const Inputs& in) { return binary_cross_entropy_with_logits(in[0], in[0]); },
                {probabilities({3, 5})}});

  const auto kl = [&](const char* variant, Tensor input, Tensor target, LossReduction reduction = LossReduction::mean,
                      bool log_target = false) {
    to.push_back({"kl_div",
                  variant,
                  [=](const Inputs& in) { return kl_div(in[0], in[1], reduction, log_target); },
                  {std::move(input), std::move(target)}});
  };
  kl("mean", values({3, 5}), probabilities({3, 5}));
  kl("sum", values({3, 5}), probabilities({3, 5}), LossReduction::sum);
  kl("none", values({3, 5}), probabilities({3, 5}), LossReduction::none);
  kl("log_target", values({3, 5}), values({3, 5}, 0.2), LossReduction::mean, true);
  kl("log_target, none", values({3, 5}), values({3, 5}, 0.2), LossReduction::none, true);
  kl("log_target, views", strided({3, 5}, -2, 2), transposed({3, 5}, -2, 2, 0.2), LossReduction::sum, true);
  kl("scalar", values({}), probabilities({}));
  kl("size 0", values({0, 4}), probabilities({0, 4}));
  kl("size 1", values({1}), probabilities({1}));
  kl("wide", values({2, 37}), probabilities({2, 37}));
  kl("four dimensions", values({2, 1, 3, 2}), probabilities({2, 1, 3, 2}));
  kl("transposed and strided", transposed({3, 5}, -2, 2), strided({3, 5}, 0.05, 0.95, 0.2));
  kl("flipped and sliced", flipped({3, 5}, -2, 2), sliced({3, 5}, 0.05, 0.95, 0.2));
  to.push_back({"kl_div",
                "probabilities of 0",
                [](const Inputs& in) {
                  return kl_div(in[0], Tensor::from<double>({0.5, 0, 0, 0.5}, {2, 2}).to(in[0].dtype()));
                },
                {values({2, 2})}});
  to.push_back({"kl_div",
                "of distributions, repeated operand",
                [](const Inputs& in) { return kl_div(log_softmax(in[0], -1), softmax(in[0] * 0.5, -1)); },
                {values({3, 5})}});
}

}  // namespace weft::test
