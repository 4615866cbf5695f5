#include "ops/reduction_cases.hpp"
#include "weft/ops/reduce.hpp"

namespace weft::test {
namespace {

using Inputs = std::vector<Var>;
using All = Var(const Var&);
using Over = Var(const Var&, std::span<const int>, bool);

ReductionCases reduction(const char* op, All* all, Over* over) { return {op, "", all, over}; }

void add_products(std::vector<Case>& to) {
  ReductionCases products = reduction("prod", prod, prod);
  products.low = 0.5;
  products.high = 1.7;
  add_reduction(to, products);
  const auto add = [&](const char* variant, Tensor x) {
    to.push_back({"prod", variant, [](const Inputs& in) { return prod(in[0], {1}); }, {std::move(x)}});
  };
  add("either sign", spread({3, 5}, -2, 2));
  add("one zero", Tensor::from<double>({2, 0, 3, -1.5, 0.5, 0}, {2, 3}));
  add("two zeros", Tensor::from<double>({2, 0, 0, -1.5, 0, 0.5, 4, 0}, {2, 4}));
  add("nothing but zeros", Tensor::zeros({2, 3}, f64));
  add("zeros in a view", Tensor::from<double>({2, 0, 0, 3, 1, 4}, {3, 2}).transpose(0, 1));
  add("size 0", spread({2, 0}, -2, 2));
}

}  // namespace

void add_reduce_cases(std::vector<Case>& to) {
  add_reduction(to, reduction("sum", sum, sum));
  to.push_back({"sum", "size 0", [](const Inputs& in) { return sum(in[0]); }, {spread({0, 3}, -2, 2)}});
  add_reduction(to, reduction("mean", mean, mean));
  add_products(to);
  add_reduction(to, reduction("max", max, max));
  add_reduction(to, reduction("min", min, min));
  add_reduction(to, reduction("logsumexp", logsumexp, logsumexp));
}

}  // namespace weft::test
