#include "ops/case_values.hpp"
#include "ops/cases.hpp"
#include "weft/ops/distance_loss.hpp"
#include "weft/ops/elementwise.hpp"

namespace weft::test {
namespace {

using Inputs = std::vector<Var>;
using Loss = Var (*)(const Var&, const Var&, LossReduction);

Tensor values(const Shape& shape) { return spread(shape, -2, 2); }
// Whose differences from those are all different.
Tensor second(const Shape& shape) { return spread(shape, -1.5, 1.7, 0.1); }

void add_loss(std::vector<Case>& to, const char* op, const std::string& prefix, Loss loss) {
  const auto row = [&](const char* variant, Tensor input, Tensor target, LossReduction reduction = LossReduction::mean) {
    to.push_back({op,
                  prefix + variant,
                  [=](const Inputs& in) { return loss(in[0], in[1], reduction); },
                  {std::move(input), std::move(target)}});
  };
  row("mean", values({3, 5}), second({3, 5}));
  row("sum", values({3, 5}), second({3, 5}), LossReduction::sum);
  row("none", values({3, 5}), second({3, 5}), LossReduction::none);
  row("scalar", values({}), second({}));
  row("size 0", values({0, 4}), values({0, 4}));
  row("size 1", values({1}), second({1}));
  row("odd size", values({37}), second({37}));
  row("four dimensions", values({2, 1, 3, 2}), second({2, 1, 3, 2}));
  row("transposed and strided", transposed({3, 5}, -2, 2), strided({3, 5}, -2, 2, 0.1));
  row("sliced and flipped", sliced({3, 5}, -2, 2), flipped({3, 5}, -2, 2, 0.1));
  row("flipped, none", flipped({3, 5}, -2, 2), second({3, 5}), LossReduction::none);
  to.push_back({op,
                prefix + "a target that is given",
                [loss](const Inputs& in) {
                  return loss(in[0], second({2, 3}).to(in[0].dtype()), LossReduction::mean);
                },
                {values({2, 3})}});
  to.push_back({op,
                prefix + "repeated operand",
                [loss](const Inputs& in) { return loss(in[0], in[0] * in[0] * 0.3, LossReduction::mean); },
                {values({3, 5})}});
}

}  // namespace

void add_distance_loss_cases(std::vector<Case>& to) {
  add_loss(to, "mse_loss", "", mse_loss);
  add_loss(to, "l1_loss", "", l1_loss);
  add_loss(to, "huber_loss", "", [](const Var& a, const Var& b, LossReduction r) { return huber_loss(a, b, r); });
  add_loss(to, "huber_loss", "delta 0.3, ",
           [](const Var& a, const Var& b, LossReduction r) { return huber_loss(a, b, r, 0.3); });
  add_loss(to, "smooth_l1_loss", "", [](const Var& a, const Var& b, LossReduction r) { return smooth_l1_loss(a, b, r); });
  add_loss(to, "smooth_l1_loss", "beta 0, ",
           [](const Var& a, const Var& b, LossReduction r) { return smooth_l1_loss(a, b, r, 0); });

  const auto cosine = [&](const char* variant, Tensor a, Tensor b, int axis = 1, double eps = 1e-8) {
    to.push_back({"cosine_similarity",
                  variant,
                  [=](const Inputs& in) { return cosine_similarity(in[0], in[1], axis, eps); },
                  {std::move(a), std::move(b)}});
  };
  cosine("rows", values({3, 5}), second({3, 5}));
  cosine("first axis", values({3, 5}), second({3, 5}), 0);
  cosine("last axis of four", values({2, 1, 3, 4}), second({2, 1, 3, 4}), -1);
  cosine("vectors", values({7}), second({7}), 0);
  cosine("broadcast: one vector for all", values({3, 5}), second({5}));
  cosine("broadcast: each with each", values({3, 1, 4}), second({1, 2, 4}), 2);
  cosine("size 0: no rows", values({0, 4}), values({0, 4}));
  cosine("size 0: no elements", values({2, 0}), values({2, 0}));
  cosine("size 1", values({1, 1}), second({1, 1}), 1, 4);
  cosine("wide", values({2, 37}), second({2, 37}));
  cosine("eps above the norms", spread({3, 5}, -0.1, 0.1), second({3, 5}), 1, 0.9);
  cosine("a vector of zeros", Tensor::zeros({2, 3}, f64), values({2, 3}), 1, 0.5);
  cosine("transposed and strided", transposed({3, 5}, -2, 2), strided({3, 5}, -2, 2, 0.1));
  cosine("sliced and flipped", sliced({3, 5}, -2, 2), flipped({3, 5}, -2, 2, 0.1));
  to.push_back({"cosine_similarity",
                "repeated operand",
                [](const Inputs& in) { return cosine_similarity(in[0], in[0] * in[0]); },
                {values({3, 5})}});
}

}  // namespace weft::test
