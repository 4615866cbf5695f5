#include <limits>

#include "ops/case_values.hpp"
#include "ops/cases.hpp"
#include "weft/ops/elementwise.hpp"
#include "weft/ops/margin_loss.hpp"

namespace weft::test {
namespace {

using Inputs = std::vector<Var>;

Tensor values(const Shape& shape) { return spread(shape, -2, 2); }
// Whose differences from those are all different.
Tensor second(const Shape& shape) { return spread(shape, -1.5, 1.7, 0.1); }
Tensor third(const Shape& shape) { return spread(shape, -1.3, 1.1, 0.8); }

Tensor integers(std::initializer_list<std::int64_t> numbers, const Shape& shape) { return Tensor::from(numbers, shape); }

// 1, -1, -1, 1, -1, -1, ...
Tensor signs(const Shape& shape) {
  Tensor result = Tensor::empty(shape, i64);
  for (std::int64_t i = 0; i < result.numel(); ++i) result.mutable_data<std::int64_t>()[i] = i % 3 == 0 ? 1 : -1;
  return result;
}

void add_hinge_cases(std::vector<Case>& to) {
  const auto hinge = [&](const char* variant, Tensor input, Tensor target, double margin = 1,
                         LossReduction reduction = LossReduction::mean) {
    to.push_back({"hinge_embedding_loss",
                  variant,
                  [=](const Inputs& in) { return hinge_embedding_loss(in[0], target, margin, reduction); },
                  {std::move(input)}});
  };
  hinge("mean", values({3, 5}), signs({3, 5}));
  hinge("sum", values({3, 5}), signs({3, 5}), 1, LossReduction::sum);
  hinge("none", values({3, 5}), signs({3, 5}), 1, LossReduction::none);
  hinge("margin 0.3", values({3, 5}), signs({3, 5}), 0.3);
  hinge("margin below 0", values({3, 5}), signs({3, 5}), -0.4);
  hinge("floating target", values({3, 5}), signs({3, 5}).to(f32));
  hinge("i32 target, transposed", values({3, 5}), signs({5, 3}).transpose(0, 1).to(i32));
  hinge("scalar", values({}), signs({}));
  hinge("size 0", values({0, 4}), signs({0, 4}));
  hinge("size 1", values({1}), integers({-1}, {1}));
  hinge("odd size", values({37}), signs({37}));
  hinge("transposed", transposed({3, 5}, -2, 2), signs({3, 5}));
  hinge("strided", strided({3, 5}, -2, 2), signs({3, 5}));
  hinge("sliced", sliced({3, 5}, -2, 2), signs({3, 5}));
  hinge("flipped", flipped({3, 5}, -2, 2), signs({3, 5}));
  to.push_back({"hinge_embedding_loss",
                "repeated operand",
                [](const Inputs& in) {
                  return hinge_embedding_loss(in[0] * in[0], signs({3, 5}), 0.7);
                },
                {values({3, 5})}});
}

void add_multi_margin_cases(std::vector<Case>& to) {
  const auto multi = [&](const char* variant, Tensor input, Tensor targets, MultiMarginLossOptions options = {}) {
    to.push_back({"multi_margin_loss",
                  variant,
                  [=](const Inputs& in) {
                    MultiMarginLossOptions with = options;
                    if (with.weight.defined()) with.weight = with.weight.to(in[0].dtype());
                    return multi_margin_loss(in[0], targets, with);
                  },
                  {std::move(input)}});
  };
  const Tensor three = integers({0, 4, 2}, {3}), weight = spread({5}, 0.2, 2);
  multi("mean", values({3, 5}), three);
  multi("sum", values({3, 5}), three, {.reduction = LossReduction::sum});
  multi("none", values({3, 5}), three, {.reduction = LossReduction::none});
  multi("squared", values({3, 5}), three, {.p = 2});
  multi("margin 0.3", values({3, 5}), three, {.margin = 0.3});
  multi("weight", values({3, 5}), three, {.weight = weight});
  multi("squared, weight, none", values({3, 5}), three, {.p = 2, .weight = weight, .reduction = LossReduction::none});
  multi("steps, i32", values({2, 3, 4}), integers({0, 1, 2, 3, 1, 1}, {2, 3}).to(i32), {.p = 2});
  multi("one row", values({4}), integers({3}, {}));
  multi("size 0", values({0, 4}), integers({}, {0}));
  multi("size 1", values({1, 1}), integers({0}, {1}));
  multi("wide", values({2, 37}), integers({36, 5}, {2}));
  multi("transposed", transposed({3, 5}, -2, 2), three);
  multi("strided", strided({3, 5}, -2, 2), three, {.p = 2});
  multi("sliced", sliced({3, 5}, -2, 2), three);
  multi("flipped", flipped({3, 5}, -2, 2), three, {.p = 2});
  to.push_back({"multi_margin_loss",
                "repeated operand",
                [three](const Inputs& in) { return multi_margin_loss(in[0] * in[0], three); },
                {values({3, 5})}});
}

void add_cosine_cases(std::vector<Case>& to) {
  const auto cosine = [&](const char* variant, Tensor a, Tensor b, Tensor target, double margin = 0,
                          LossReduction reduction = LossReduction::mean) {
    to.push_back({"cosine_embedding_loss",
                  variant,
                  [=](const Inputs& in) { return cosine_embedding_loss(in[0], in[1], target, margin, reduction); },
                  {std::move(a), std::move(b)}});
  };
  cosine("mean", values({4, 5}), second({4, 5}), signs({4}));
  cosine("sum", values({4, 5}), second({4, 5}), signs({4}), 0, LossReduction::sum);
  cosine("none", values({4, 5}), second({4, 5}), signs({4}), 0, LossReduction::none);
  cosine("margin", values({4, 5}), second({4, 5}), signs({4}), 0.4);
  cosine("margin below 0", values({4, 5}), second({4, 5}), signs({4}), -0.9, LossReduction::none);
  cosine("steps", values({2, 3, 4}), second({2, 3, 4}), signs({2, 3}), -0.5);
  cosine("one pair", values({4}), second({4}), signs({}));
  cosine("floating target", values({4, 5}), second({4, 5}), signs({4}).to(f64));
  cosine("size 0", values({0, 4}), values({0, 4}), signs({0}));
  cosine("size 1", Tensor::full({1, 1}, 2, f64), Tensor::full({1, 1}, -0.5, f64), signs({1}));
  cosine("wide", values({2, 37}), second({2, 37}), signs({2}), -0.9);
  cosine("transposed and strided", transposed({4, 5}, -2, 2), strided({4, 5}, -2, 2, 0.1), signs({4}), -0.9);
  cosine("sliced and flipped", sliced({4, 5}, -2, 2), flipped({4, 5}, -2, 2, 0.1), signs({4}), -0.9);
  to.push_back({"cosine_embedding_loss",
                "repeated operand",
                [](const Inputs& in) { return cosine_embedding_loss(in[0], in[0] * in[0], signs({4}), -0.9); },
                {values({4, 5})}});
}

void add_triplet_cases(std::vector<Case>& to) {
  const auto triplet = [&](const char* variant, std::vector<Tensor> inputs, TripletMarginLossOptions options = {}) {
    to.push_back({"triplet_margin_loss", variant,
                  [=](const Inputs& in) { return triplet_margin_loss(in[0], in[1], in[2], options); }, std::move(inputs)});
  };
  const auto three = [](const Shape& shape) { return std::vector<Tensor>{values(shape), second(shape), third(shape)}; };
  triplet("mean", three({3, 5}));
  triplet("sum", three({3, 5}), {.reduction = LossReduction::sum});
  triplet("none", three({3, 5}), {.reduction = LossReduction::none});
  triplet("margin 3", three({3, 5}), {.margin = 3});
  triplet("swap", three({3, 5}), {.margin = 3, .swap = true});
  triplet("p 1", three({3, 5}), {.margin = 3, .p = 1});
  triplet("p 3, swap", three({3, 5}), {.margin = 3, .p = 3, .swap = true});
  triplet("p 2.5", three({3, 5}), {.margin = 3, .p = 2.5});
  triplet("p infinite", three({3, 5}), {.margin = 3, .p = std::numeric_limits<double>::infinity()});
  triplet("eps 0.1", three({3, 5}), {.margin = 3, .eps = 0.1});
  triplet("one triplet", three({4}), {.margin = 3});
  triplet("four dimensions", three({2, 1, 3, 2}), {.margin = 3});
  triplet("size 0: no rows", three({0, 4}));
  triplet("size 0: no elements", three({2, 0}));
  triplet("size 1", three({1, 1}), {.margin = 3});
  triplet("wide", three({2, 37}), {.margin = 9});
  triplet("views", {transposed({3, 5}, -2, 2), strided({3, 5}, -2, 2, 0.1), flipped({3, 5}, -2, 2, 0.8)}, {.margin = 3});
  to.push_back({"triplet_margin_loss",
                "repeated operand",
                [](const Inputs& in) { return triplet_margin_loss(in[0], in[1], in[0] * in[1], {.margin = 3}); },
                {values({3, 5}), second({3, 5})}});
}

}  // namespace

void add_margin_loss_cases(std::vector<Case>& to) {
  add_hinge_cases(to);
  add_multi_margin_cases(to);
  add_cosine_cases(to);
  add_triplet_cases(to);
}

}  // namespace weft::test
