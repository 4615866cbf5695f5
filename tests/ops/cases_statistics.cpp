#include <limits>

#include "ops/reduction_cases.hpp"
#include "weft/ops/statistics.hpp"

namespace weft::test {
namespace {

using Axes = std::span<const int>;

}  // namespace

void add_statistics_cases(std::vector<Case>& to) {
  // With a correction of 1 a single element has no variance: these stand apart.
  for (const double correction : {0.0, 0.25}) {
    const std::string variant = correction == 0 ? "" : "correction 0.25, ";
    add_reduction(to, {"var", variant, [=](const Var& x) { return var(x, {.correction = correction}); },
                       [=](const Var& x, Axes axes, bool keepdim) {
                         return var(x, axes, {.correction = correction, .keepdim = keepdim});
                       }});
  }
  const auto add = [&](const char* op, const char* variant, Var (*function)(const Var&), Tensor x) {
    to.push_back({op, variant, [function](const std::vector<Var>& in) { return function(in[0]); }, {std::move(x)}});
  };
  const auto values = [](const Shape& shape) { return spread(shape, -2, 2); };
  add(
      "var", "unbiased", [](const Var& x) { return var(x); }, values({3, 4}));
  add(
      "var", "unbiased, axis", [](const Var& x) { return var(x, {1}); }, values({3, 4}));

  add(
      "std", "unbiased", [](const Var& x) { return weft::std(x); }, values({3, 4}));
  add(
      "std", "odd size", [](const Var& x) { return weft::std(x); }, values({17}));
  add(
      "std", "first axis", [](const Var& x) { return weft::std(x, {0}); }, values({3, 5}));
  add(
      "std", "last axis kept", [](const Var& x) { return weft::std(x, {-1}, {.keepdim = true}); }, values({3, 5}));
  add(
      "std", "two axes",
      [](const Var& x) {
        return weft::std(x, {0, 2}, {.correction = 0});
      },
      values({2, 3, 4}));
  add(
      "std", "correction 1.5", [](const Var& x) { return weft::std(x, {1}, {.correction = 1.5}); }, values({2, 6}));
  add(
      "std", "size 0 of others", [](const Var& x) { return weft::std(x, {1}); }, values({0, 3}));
  add(
      "std", "size 1 of others", [](const Var& x) { return weft::std(x, {1}); }, values({1, 3}));
  // The standard deviation of one element is flat at 0, and its gradient 0 by definition.
  add(
      "std", "size 1", [](const Var& x) { return weft::std(x, {.correction = 0}); }, values({1}));
  add(
      "std", "transposed", [](const Var& x) { return weft::std(x, {0}); }, transposed({5, 3}, -2, 2));
  add(
      "std", "strided", [](const Var& x) { return weft::std(x, {1}); }, strided({3, 7}, -2, 2));
  add(
      "std", "sliced", [](const Var& x) { return weft::std(x, {0}); }, sliced({4, 5}, -2, 2));
  add(
      "std", "flipped", [](const Var& x) { return weft::std(x, {1}); }, flipped({2, 9}, -2, 2));
  add(
      "std", "long row", [](const Var& x) { return weft::std(x, {1}); }, values({2, 131}));
  add(
      "std", "repeated operand", [](const Var& x) { return weft::std(x, {1}, {.keepdim = true}) * x; }, values({3, 4}));

  constexpr double inf = std::numeric_limits<double>::infinity();
  for (const auto& [variant, p] : {std::pair{"", 2.0}, {"p inf, ", inf}, {"p 1.5, ", 1.5}}) {
    add_reduction(to, {"norm", variant, [p = p](const Var& x) { return norm(x, p); },
                       [p = p](const Var& x, Axes axes, bool keepdim) { return norm(x, p, axes, keepdim); }});
  }
  const auto add_norm = [&](const std::string& variant, double p, Tensor x) {
    to.push_back({"norm", variant, [p](const std::vector<Var>& in) { return norm(in[0], p, {1}); }, {std::move(x)}});
  };
  for (const auto& [variant, p] :
       {std::pair{"p 1", 1.0}, {"p -inf", -inf}, {"p 3", 3.0}, {"p 0.5", 0.5}, {"p -1", -1.0}, {"p 0", 0.0}}) {
    add_norm(variant, p, values({3, 5}));
    add_norm(std::string(variant) + ", transposed", p, transposed({5, 3}, -2, 2));
  }
  add(
      "norm", "size 0", [](const Var& x) { return norm(x); }, values({0, 3}));
}

}  // namespace weft::test
