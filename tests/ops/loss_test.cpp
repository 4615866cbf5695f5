#include "weft/ops/loss.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <functional>
#include <limits>

#include "golden/golden.hpp"
#include "support/random.hpp"
#include "weft/autograd/tape.hpp"
#include "weft/base/error.hpp"
#include "weft/ops/distance_loss.hpp"
#include "weft/ops/elementwise.hpp"
#include "weft/ops/margin_loss.hpp"
#include "weft/ops/reduce.hpp"
#include "weft/ops/softmax.hpp"

using namespace weft;
using namespace weft::test;

namespace {

constexpr double inf = std::numeric_limits<double>::infinity(), not_a_number = std::numeric_limits<double>::quiet_NaN();

Tensor row(std::initializer_list<double> values, DType dtype = f64) {
  return Tensor::from(values, {static_cast<std::int64_t>(values.size())}).to(dtype);
}
Tensor integers(std::initializer_list<std::int64_t> values) {
  return Tensor::from(values, {static_cast<std::int64_t>(values.size())});
}

constexpr LossReduction each = LossReduction::none;

double largest_error(const Var& losses, std::initializer_list<double> expected) {
  return largest_difference(losses.value(), row(expected));
}

// The gradient of sum(f(x)).
Tensor slope(const std::function<Var(const Var&)>& f, const Tensor& at) {
  Tape tape;
  const Var x = tape.leaf(at);
  tape.backward(sum(f(x)));
  return tape.grad(x).clone();
}

// Each loss of an input and something that goes with it, for what they have in common.
struct Named {
  const char* op;
  std::function<Var(const Var&, LossReduction)> loss;
};

std::vector<Named> losses_of_rows(const Tensor& other, const Tensor& classes, const Tensor& signs) {
  return {
      {"mse_loss", [=](const Var& x, LossReduction r) { return mse_loss(x, other, r); }},
      {"l1_loss", [=](const Var& x, LossReduction r) { return l1_loss(x, other, r); }},
      {"huber_loss", [=](const Var& x, LossReduction r) { return huber_loss(x, other, r); }},
      {"smooth_l1_loss", [=](const Var& x, LossReduction r) { return smooth_l1_loss(x, other, r); }},
      {"kl_div", [=](const Var& x, LossReduction r) { return kl_div(x, other, r); }},
      {"binary_cross_entropy_with_logits",
       [=](const Var& x, LossReduction r) { return binary_cross_entropy_with_logits(x, other, {.reduction = r}); }},
      {"nll_loss", [=](const Var& x, LossReduction r) { return nll_loss(x, classes, {.reduction = r}); }},
      {"multi_margin_loss", [=](const Var& x, LossReduction r) { return multi_margin_loss(x, classes, {.reduction = r}); }},
      {"cosine_embedding_loss", [=](const Var& x, LossReduction r) { return cosine_embedding_loss(x, other, signs, 0, r); }},
      {"triplet_margin_loss",
       [=](const Var& x, LossReduction r) { return triplet_margin_loss(x, other, x, {.reduction = r}); }}};
}

}  // namespace

TEST_CASE("losses equal PyTorch's: values, means and gradients") {
  const Golden golden = Golden::load("losses");
  const Tensor &classes = golden["classes"], &signs = golden["signs"], &rows = golden["rows"];
  for (const DType dtype : {f32, f64}) {
    const Tensor weight = golden["weight"].to(dtype), pos_weight = golden["pos_weight"].to(dtype);
    Tape tape;
    const auto leaf = [&](const char* name) { return tape.leaf(golden[name].to(dtype)); };
    const Var a = leaf("a"), b = leaf("b"), c = leaf("c"), p = leaf("probabilities");
    using Function = std::function<Var(LossReduction)>;
    const std::vector<std::pair<std::string, Function>> table{
        {"mse_loss", [&](LossReduction r) { return mse_loss(a, b, r); }},
        {"l1_loss", [&](LossReduction r) { return l1_loss(a, b, r); }},
        {"huber_loss", [&](LossReduction r) { return huber_loss(a, b, r, 0.7); }},
        {"smooth_l1_loss", [&](LossReduction r) { return smooth_l1_loss(a, b, r, 0.7); }},
        {"binary_cross_entropy_with_logits",
         [&](LossReduction r) {
           return binary_cross_entropy_with_logits(a, p, {.weight = weight, .pos_weight = pos_weight, .reduction = r});
         }},
        {"kl_div", [&](LossReduction r) { return kl_div(a, p, r); }},
        {"kl_div.log_target", [&](LossReduction r) { return kl_div(a, log_softmax(b, -1), r, true); }},
        {"nll_loss",
         [&](LossReduction r) { return nll_loss(a, classes, {.ignore_index = 0, .weight = weight, .reduction = r}); }},
        {"hinge_embedding_loss", [&](LossReduction r) { return hinge_embedding_loss(a, signs, 0.8, r); }},
        {"cosine_embedding_loss", [&](LossReduction r) { return cosine_embedding_loss(a, b, rows, -0.4, r); }},
        {"multi_margin_loss",
         [&](LossReduction r) { return multi_margin_loss(a, classes, {.margin = 0.8, .weight = weight, .reduction = r}); }},
        {"multi_margin_loss.squared", [&](LossReduction r) { return multi_margin_loss(a, classes, {.p = 2, .reduction = r}); }},
        {"triplet_margin_loss", [&](LossReduction r) { return triplet_margin_loss(a, b, c, {.reduction = r}); }},
        {"triplet_margin_loss.swap",
         [&](LossReduction r) { return triplet_margin_loss(a, b, c, {.margin = 2, .p = 3, .swap = true, .reduction = r}); }}};
    for (const auto& entry : table) {
      const auto& name = entry.first;
      const auto& loss = entry.second;
      CAPTURE(name);
      // PyTorch's cosine_embedding_loss adds its eps to the squares of the norms.
      const double tolerance = dtype == f32 ? 1e-6 : name == "cosine_embedding_loss" ? 1e-11 : 1e-12;
      CHECK(relative_error(loss(each).value(), golden[name + ".none"]) <= tolerance);
      const Var mean = loss(LossReduction::mean);
      CHECK(relative_error(mean.value(), golden[name + ".mean"]) <= tolerance);
      tape.backward(mean);
      for (const auto& [key, x] : {std::pair{"a", a}, {"b", b}, {"c", c}, {"probabilities", p}})
        if (const std::string gradient = name + ".grad." + key; golden.contains(gradient))
          CHECK(relative_error(tape.grad(x), golden[gradient]) <= tolerance);
    }
  }
}

TEST_CASE("differences by hand, at kinks and far away") {
  const Tensor x = row({3, -1, 0.5, 2, inf}), y = row({1, 1, 0.5, 1, 0});
  CHECK(largest_error(mse_loss(x, y, each), {4, 4, 0, 1, inf}) == 0);
  CHECK(largest_error(l1_loss(x, y, each), {2, 2, 0, 1, inf}) == 0);
  CHECK(largest_error(huber_loss(x, y, each), {1.5, 1.5, 0, 0.5, inf}) == 0);
  CHECK(largest_error(huber_loss(x, y, each, 2), {2, 2, 0, 0.5, inf}) == 0);
  CHECK(largest_error(smooth_l1_loss(x, y, each, 2), {1, 1, 0, 0.25, inf}) == 0);
  CHECK(largest_error(smooth_l1_loss(x, y, each, 0), {2, 2, 0, 1, inf}) == 0);
  CHECK(mse_loss(x.slice(0, 0, 4), y.slice(0, 0, 4)).item() == 9.0 / 4);
  CHECK(mse_loss(x.slice(0, 0, 4), y.slice(0, 0, 4), LossReduction::sum).item() == 9);
  CHECK(largest_difference(slope([&](const Var& in) { return l1_loss(in, y, each); }, x), row({1, -1, 0, 1, 1})) == 0);
  CHECK(largest_difference(slope([&](const Var& in) { return huber_loss(in, y, each); }, x), row({1, -1, 0, 1, 1})) == 0);
  CHECK(largest_difference(slope([&](const Var& in) { return huber_loss(y, in, each); }, x), row({1, -1, 0, 1, 1})) == 0);
}

TEST_CASE("binary cross entropy keeps its digits far from 0 and costs nothing where it is right") {
  const auto loss = [](double logit, double target, DType dtype) {
    return binary_cross_entropy_with_logits(row({logit}, dtype), row({target}, dtype)).item();
  };
  CHECK(loss(0, 0.3, f64) == doctest::Approx(std::log(2.0)));
  for (const DType dtype : {f32, f64}) {
    const double tolerance = dtype == f32 ? 1e-6 : 1e-14;
    for (const double x : {0.01, 0.7, 3.0, 17.0, 40.0, 80.0}) {
      CAPTURE(x);
      const double exact = std::log1p(std::exp(-static_cast<double>(static_cast<float>(x))));
      const double at = static_cast<double>(static_cast<float>(x));
      CHECK(std::abs(loss(at, 1, dtype) - exact) <= tolerance * exact);
      CHECK(std::abs(loss(-at, 0, dtype) - exact) <= tolerance * exact);
      CHECK(std::abs(loss(at, 0, dtype) - (at + exact)) <= tolerance * (at + exact));
    }
    CHECK(loss(inf, 1, dtype) == 0);
    CHECK(loss(-inf, 0, dtype) == 0);
    CHECK(loss(inf, 0, dtype) == inf);
    CHECK(loss(-inf, 1, dtype) == inf);
    CHECK(loss(1e30, 0, dtype) == doctest::Approx(1e30));
  }
  const Tensor logits = row({0, inf, -inf, 2});
  const Tensor slopes = slope(
      [](const Var& x) {
        return binary_cross_entropy_with_logits(x, row({0.5, 1, 0, 0}), {.reduction = each});
      },
      logits);
  CHECK(largest_difference(slopes, row({0, 0, 0, 1 / (1 + std::exp(-2.0))})) <= 1e-15);
}

TEST_CASE("kl_div by hand; what has no probability adds nothing") {
  const Tensor p = row({0.5, 0.5, 0, 0}), q = row({std::log(0.25), std::log(0.75), -inf, -1});
  const double expected = 0.5 * std::log(0.5 / 0.25) + 0.5 * std::log(0.5 / 0.75);
  for (const bool log_target : {false, true}) {
    const Tensor target = log_target ? row({std::log(0.5), std::log(0.5), -inf, -inf}) : p;
    CHECK(kl_div(q, target, LossReduction::sum, log_target).item() == doctest::Approx(expected));
    CHECK(kl_div(q, target, LossReduction::mean, log_target).item() == doctest::Approx(expected / 4));
    const auto of_input = [&](const Var& x) { return kl_div(x, target, each, log_target); };
    CHECK(largest_difference(slope(of_input, q), row({-0.5, -0.5, 0, 0})) <= 1e-15);
    const auto of_target = [&](const Var& x) { return kl_div(q, x, each, log_target); };
    const Tensor slopes = slope(of_target, target);
    CHECK(std::isfinite(largest(slopes)));
    CHECK(slopes.at({2}) == 0);
    CHECK(std::isnan(kl_div(row({not_a_number}), target.slice(0, 2, 3), each, log_target).item()));
  }
}

TEST_CASE("nll_loss of log_softmax is cross_entropy") {
  const Tensor logits = uniform({4, 3, 5}, -2, 2, 1), targets = test::integers({4, 3}, 5, 2);
  for (const LossReduction reduction : {LossReduction::mean, LossReduction::sum, each}) {
    const Var direct = cross_entropy(logits, targets, {.ignore_index = 2, .reduction = reduction});
    const Var composed = nll_loss(log_softmax(logits, -1), targets, {.ignore_index = 2, .reduction = reduction});
    CHECK(largest_difference(direct.value(), composed.value()) <= 1e-14);
  }
}

TEST_CASE("nll_loss weighs classes and doesn't look at ignored rows") {
  Tensor x = Tensor::from<double>({-1, -2, not_a_number, inf, -3, -4}, {3, 2});
  const Tensor targets = integers({0, -100, 1}), weight = row({0.5, 2});
  CHECK(largest_error(nll_loss(x, targets, {.weight = weight, .reduction = each}), {0.5, 0, 8}) == 0);
  CHECK(nll_loss(x, targets, {.weight = weight}).item() == 8.5 / 2.5);
  CHECK(nll_loss(x, targets).item() == 2.5);
  const Tensor slopes = slope([&](const Var& in) { return nll_loss(in, targets, {.weight = weight}); }, x);
  CHECK(largest_difference(slopes, Tensor::from<double>({-0.2, 0, 0, 0, 0, -0.8}, {3, 2})) <= 1e-15);
  CHECK(nll_loss(row({-3, -1}), Tensor::from<std::int64_t>({1}, {})).item() == 1);
}

TEST_CASE("the mean of no losses is 0, and so are the gradients") {
  for (const DType dtype : {f32, f64}) {
    const Tensor empty = Tensor::zeros({0, 3}, dtype);
    for (const auto& entry : losses_of_rows(empty, Tensor::zeros({0}, i64), Tensor::zeros({0}, i64))) {
      const auto& op = entry.op;
      const auto& loss = entry.loss;
      CAPTURE(op);
      Tape tape;
      const Var x = tape.leaf(empty), mean = loss(x, LossReduction::mean);
      CHECK(mean.item() == 0);
      CHECK(mean.dtype() == dtype);
      tape.backward(mean);
      CHECK(tape.grad(x).shape() == Shape{0, 3});
    }
    Tape tape;
    const Var x = tape.leaf(Tensor::full({2, 3}, not_a_number, dtype));
    const Var nothing = nll_loss(x, integers({7, 7}), {.ignore_index = 7});
    CHECK(nothing.item() == 0);
    tape.backward(nothing);
    CHECK(largest(tape.grad(x)) == 0);
    CHECK(nll_loss(uniform({2, 3}, -1, 0, 1), integers({1, 1}), {.weight = row({1, 0, 1})}).item() == 0);
  }
}

TEST_CASE("NaN in gives NaN out, in its row alone") {
  for (const DType dtype : {f32, f64}) {
    Tensor x = uniform({3, 4}, -1, 1, 1, dtype), at = x.select(0, 1).slice(0, 2, 3);
    at.fill(not_a_number);
    const Tensor other = uniform({3, 4}, 0.1, 0.9, 2, dtype);
    for (const auto& entry : losses_of_rows(other, integers({0, 2, 1}), integers({1, -1, 1}))) {
      const auto& op = entry.op;
      const auto& loss = entry.loss;
      CAPTURE(op);
      const Tensor values = loss(x, each).value();
      CHECK(std::isnan(largest(values.select(0, 1))));
      CHECK(std::isfinite(largest(values.select(0, 0))));
      CHECK(std::isfinite(largest(values.select(0, 2))));
      CHECK(std::isnan(loss(x, LossReduction::mean).item()));
    }
  }
}

TEST_CASE("what counts for nothing has no gradient, infinite or NaN though it be") {
  for (const double bad : {inf, -inf, not_a_number, 0.0}) {
    Tensor x = uniform({3, 4}, -1, 1, 1);
    x.select(0, 1).fill(bad);
    const Tensor other = uniform({3, 4}, 0.1, 0.9, 2);
    for (const auto& entry : losses_of_rows(other, integers({0, 2, 1}), integers({1, -1, 1}))) {
      const auto& op = entry.op;
      const auto& loss = entry.loss;
      CAPTURE(op);
      CAPTURE(bad);
      Tape tape;
      const Var in = tape.leaf(x), losses = loss(in, each);
      Tensor cotangent = Tensor::ones(losses.shape(), f64);
      cotangent.select(0, 1).fill(0);
      tape.backward(losses, cotangent);
      CHECK(largest(tape.grad(in).select(0, 1)) == 0);
      CHECK(std::isfinite(largest(tape.grad(in))));
    }
  }
}

TEST_CASE("losses refuse what doesn't fit, naming themselves and both shapes") {
  const Tensor x = uniform({3, 4}, -1, 1, 1), wrong = uniform({3, 1}, 0, 1, 2);
  const Tensor classes = integers({0, 3, 1}), signs = integers({1, -1, 1});
  for (const auto& entry : losses_of_rows(wrong, integers({0, 1}), integers({1, 1}))) {
    const auto& op = entry.op;
    const auto& loss = entry.loss;
    CAPTURE(op);
    const std::string name = std::string("[") + op + "]";
    CHECK_THROWS_WITH_AS(loss(x, each), doctest::Contains(name.c_str()), ShapeError);
    CHECK_THROWS_WITH_AS(loss(x, each), doctest::Contains("[3, 4]"), ShapeError);
  }
  for (const auto& entry : losses_of_rows(x.to(f32), classes.to(f64), signs)) {
    const auto& op = entry.op;
    const auto& loss = entry.loss;
    CAPTURE(op);
    CHECK_THROWS_WITH_AS(loss(x, each), doctest::Contains((std::string("[") + op + "]").c_str()), DTypeError);
  }
  for (const auto& entry : losses_of_rows(x.to(i64), classes, signs)) {
    const auto& op = entry.op;
    const auto& loss = entry.loss;
    CAPTURE(op);
    CHECK_THROWS_AS(loss(x.to(i64), each), DTypeError);
  }
  for (const auto& entry : losses_of_rows({}, {}, {})) {
    const auto& op = entry.op;
    const auto& loss = entry.loss;
    CAPTURE(op);
    CHECK_THROWS_AS(loss(x, each), ValueError);
  }
  for (const auto& entry : losses_of_rows(x, classes, signs)) {
    const auto& op = entry.op;
    const auto& loss = entry.loss;
    CAPTURE(op);
    CHECK_THROWS_AS(loss({}, each), ValueError);
  }
}

TEST_CASE("losses refuse options, classes and labels outside their domain") {
  const Tensor x = uniform({3, 4}, -1, 1, 1);
  const auto says = [](const char* text) { return doctest::Contains(text); };
  CHECK_THROWS_WITH_AS(huber_loss(x, x, each, 0), says("[huber_loss] delta is 0"), ValueError);
  CHECK_THROWS_AS(huber_loss(x, x, each, not_a_number), ValueError);
  CHECK_THROWS_WITH_AS(smooth_l1_loss(x, x, each, -1), says("[smooth_l1_loss] beta is -1"), ValueError);
  CHECK_THROWS_WITH_AS(cosine_similarity(x, x, 1, -1), says("[cosine_similarity] eps is -1"), ValueError);
  CHECK_THROWS_WITH_AS(cosine_similarity(x, x, 2), says("[cosine_similarity]"), IndexError);
  CHECK_THROWS_WITH_AS(cosine_similarity(x, uniform({3, 5}, 0, 1, 1)), says("[3, 5]"), ShapeError);
  CHECK_THROWS_WITH_AS(cosine_similarity(x, x.to(f32)), says("f32[3, 4]"), DTypeError);
  CHECK_THROWS_WITH_AS(triplet_margin_loss(x, x, x, {.p = 0.5}), says("[triplet_margin_loss] p is 0.5"), ValueError);
  const Tensor number = Tensor::zeros({}, f64);
  CHECK_THROWS_AS(triplet_margin_loss(number, number, number), ShapeError);
  CHECK_THROWS_AS(cosine_embedding_loss(number, number, number), ShapeError);
  const Tensor classes = integers({0, 3, 1});
  CHECK_THROWS_WITH_AS(multi_margin_loss(x, classes, {.p = 3}), says("[multi_margin_loss] p is 3"), ValueError);
  for (const std::int64_t bad : {std::int64_t{4}, std::int64_t{-1}, std::numeric_limits<std::int64_t>::min()}) {
    CHECK_THROWS_WITH_AS(multi_margin_loss(x, integers({0, bad, 1})), says("at [1] of targets [3] is outside 0 to 3"),
                         IndexError);
    CHECK_THROWS_WITH_AS(nll_loss(x, integers({0, bad, 1})), says("at [1] of targets [3] is outside 0 to 3"), IndexError);
  }
  CHECK_THROWS_AS(nll_loss(x, integers({0, -100, 1}), {.ignore_index = -1}), IndexError);
  CHECK_THROWS_WITH_AS(nll_loss(Tensor::zeros({2, 0}), integers({0, 0})), says("no classes"), ShapeError);
  CHECK_THROWS_WITH_AS(nll_loss(x, classes, {.weight = row({1, 2})}), says("the weight [2]"), ShapeError);
  CHECK_THROWS_AS(nll_loss(x, classes, {.weight = row({1, 2, 3, 4}, f32)}), DTypeError);
  CHECK_THROWS_AS(multi_margin_loss(x, classes, {.weight = row({1, 2})}), ShapeError);
  CHECK_THROWS_WITH_AS(binary_cross_entropy_with_logits(x, x, {.weight = row({1, 2, 3})}), says("[3]"), ShapeError);
  CHECK_THROWS_WITH_AS(binary_cross_entropy_with_logits(x, x, {.pos_weight = Tensor::ones({2, 3, 4}, f64)}),
                       says("pos_weight [2, 3, 4] doesn't broadcast"), ShapeError);
  CHECK_THROWS_AS(binary_cross_entropy_with_logits(x, x, {.pos_weight = row({1, 2, 3, 4}, f32)}), DTypeError);
  CHECK_THROWS_WITH_AS(hinge_embedding_loss(row({1, 2}), integers({1, 0})), says("the target is 0 at [1] of [2]"), ValueError);
  CHECK_THROWS_AS(hinge_embedding_loss(row({1, 2}), row({1, not_a_number})), ValueError);
  CHECK_THROWS_AS(hinge_embedding_loss(row({1, 2}), Tensor::zeros({2}, boolean)), DTypeError);
  CHECK_THROWS_AS(hinge_embedding_loss(row({1, 2}), integers({1})), ShapeError);
  CHECK_THROWS_AS(hinge_embedding_loss({}, integers({1})), ValueError);
}

TEST_CASE("margins by hand, and flat at their edges") {
  const Tensor x = row({0.5, 0.5, 2, 1}), signs = integers({1, -1, -1, -1});
  CHECK(largest_error(hinge_embedding_loss(x, signs, 1, each), {0.5, 0.5, 0, 0}) == 0);
  CHECK(largest_error(hinge_embedding_loss(x, signs.to(f32), 3, each), {0.5, 2.5, 1, 2}) == 0);
  const auto hinge = [&](const Var& in) { return hinge_embedding_loss(in, signs, 1, each); };
  CHECK(largest_difference(slope(hinge, x), row({1, -1, 0, 0})) == 0);
  CHECK(multi_margin_loss(row({1, 0.5, 3}), Tensor::from<std::int64_t>({0}, {})).item() == doctest::Approx((0.5 + 3) / 3));
  CHECK(multi_margin_loss(row({1, 0.5, 3}), Tensor::from<std::int64_t>({0}, {}), {.p = 2, .weight = row({2, 0, 0})}).item() ==
        doctest::Approx(2 * (0.25 + 9) / 3));
  CHECK(multi_margin_loss(row({7}), Tensor::from<std::int64_t>({0}, {})).item() == 0);
}

TEST_CASE("cosine similarity along any axis, broadcast, of vectors without length") {
  const Tensor a = Tensor::from<double>({3, 0, 4, 0}, {2, 2}), b = Tensor::from<double>({1, 0, 0, 2}, {2, 2});
  CHECK(largest_error(cosine_similarity(a, b), {1, 0}) <= 1e-15);
  CHECK(largest_error(cosine_similarity(a, b, 0), {0.6, 0}) <= 1e-15);
  CHECK(largest_error(cosine_similarity(a, row({1, 1}), -1), {std::sqrt(0.5), std::sqrt(0.5)}) <= 1e-15);
  CHECK(largest_error(cosine_similarity(Tensor::ones({2, 1}, f64), Tensor::ones({1, 3}, f64)), {1, 1}) <= 1e-15);
  // eps counts as the norm of what is shorter
  CHECK(cosine_similarity(row({0.5, 0}), row({3, 4}), 0, 2).item() == doctest::Approx(0.25 * 0.6));
  const Tensor slopes = slope([](const Var& x) { return cosine_similarity(x, row({3, 4}), 0, 0.5); }, row({0, 0}));
  CHECK(largest_difference(slopes, row({1.2, 1.6})) <= 1e-15);
}

TEST_CASE("triplets whose anchor and positive are the same have a gradient, 0 of their distance") {
  for (const double p : {1.0, 2.0, 3.0, inf}) {
    CAPTURE(p);
    const Tensor same = row({1, 2}), far = row({1, 2.5});
    const auto loss = [&](const Var& x) { return triplet_margin_loss(x, same, far, {.p = p, .eps = 0}); };
    CHECK(loss(same).item() == doctest::Approx(0.5));
    CHECK(largest_difference(slope(loss, same), row({0, 1})) <= 1e-15);
  }
  CHECK(triplet_margin_loss(row({0, 0}), row({3, 4}), row({0, 1}), {.eps = 0}).item() == 5);
  CHECK(triplet_margin_loss(row({0, 0}), row({3, 4}), row({6, 8}), {.margin = 0, .eps = 0}).item() == 0);
  CHECK(triplet_margin_loss(row({0, 0}), row({3, 4}), row({3, 4}), {.eps = 0, .swap = true}).item() == 6);
}

TEST_CASE("cosine similarity of large and small f32 vectors") {
  for (const double size : {1e25, 1.0, 1e-6}) {
    Tape tape;
    const Var a = tape.leaf(row({3 * size, 4 * size}, f32)), b = row({4 * size, 3 * size}, f32);
    const Var similarity = cosine_similarity(a, b, 0);
    CHECK(similarity.item() == doctest::Approx(0.96).epsilon(1e-6));
    tape.backward(similarity);
    CHECK(tape.grad(a).to(f64).at({0}) * size == doctest::Approx(0.224 / 5).epsilon(1e-5));
  }
}
