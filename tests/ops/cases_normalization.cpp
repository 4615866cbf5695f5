#include "ops/case_values.hpp"
#include "ops/cases.hpp"
#include "weft/ops/elementwise.hpp"
#include "weft/ops/normalization.hpp"

namespace weft::test {
namespace {

using Inputs = std::vector<Var>;

Tensor values(const Shape& shape, double start = 0.5) { return spread(shape, -2, 2, start); }

}  // namespace

void add_normalization_cases(std::vector<Case>& to) {
  const auto row = [&](const char* variant, std::vector<Tensor> inputs, double eps = 1e-5) {
    to.push_back({"layer_norm", variant,
                  [eps](const Inputs& in) {
                    return layer_norm(in[0], in.size() > 1 ? in[1] : Var(), in.size() > 2 ? in[2] : Var(), eps);
                  },
                  std::move(inputs)});
  };
  row("weight and bias", {values({3, 5}), values({5}, 0.1), values({5}, 0.2)});
  row("weight alone", {values({3, 5}), values({5}, 0.1)});
  row("neither", {values({3, 5})});
  row("three dimensions", {values({2, 3, 4}), values({4}, 0.1), values({4}, 0.2)});
  row("a vector", {values({7}), values({7}, 0.1), values({7}, 0.2)});
  row("size 0", {values({0, 4}), values({4}, 0.1), values({4}, 0.2)});
  row("more rows than one sum takes", {values({130, 3}), values({3}, 0.1), values({3}, 0.2)});
  row("size 1, large eps", {values({3, 1}), values({1}, 0.1), values({1}, 0.2)}, 0.5);
  row("flipped, wide", {flipped({2, 37}, -2, 2), values({37}, 0.1), values({37}, 0.2)});
  row("transposed", {transposed({3, 5}, -2, 2), values({5}, 0.1), values({5}, 0.2)});
  row("views of the parameters", {strided({3, 5}, -2, 2), values({5}, 0.1).flip(0), values({5}, 0.2)});
  to.push_back({"layer_norm",
                "repeated operand",
                [](const Inputs& in) { return layer_norm(in[0], in[1], in[1]) * in[0]; },
                {values({3, 5}), values({5}, 0.1)}});
}

}  // namespace weft::test
