#include "ops/case_values.hpp"
#include "ops/cases.hpp"
#include "weft/ops/elementwise.hpp"
#include "weft/ops/normalization.hpp"

namespace weft::test {
namespace {

using Inputs = std::vector<Var>;

Tensor values(const Shape& shape, double start = 0.5) { return spread(shape, -2, 2, start); }

Var second(const Inputs& in) { return in.size() > 1 ? in[1] : Var(); }
Var third(const Inputs& in) { return in.size() > 2 ? in[2] : Var(); }

void add_rms_norm(std::vector<Case>& to) {
  const auto row = [&](const char* variant, std::vector<Tensor> inputs, std::optional<double> eps = 1e-5) {
    to.push_back(
        {"rms_norm", variant, [eps](const Inputs& in) { return rms_norm(in[0], second(in), eps); }, std::move(inputs)});
  };
  row("weight", {values({3, 5}), values({5}, 0.1)});
  row("no weight", {values({3, 5})});
  row("the dtype's own eps", {values({3, 5}), values({5}, 0.1)}, std::nullopt);
  row("three dimensions", {values({2, 3, 4}), values({4}, 0.1)});
  row("a vector", {values({7}), values({7}, 0.1)});
  row("size 0", {values({0, 4}), values({4}, 0.1)});
  row("rows of size 0", {values({3, 0}), values({0}, 0.1)});
  row("size 1, large eps", {values({3, 1}), values({1}, 0.1)}, 0.5);
  row("odd size", {values({2, 17}), values({17}, 0.1)});
  row("transposed", {transposed({3, 5}, -2, 2), values({5}, 0.1)});
  row("strided", {strided({3, 7}, -2, 2), values({7}, 0.1).flip(0)});
  row("sliced", {sliced({3, 5}, -2, 2), values({5}, 0.1)});
  to.push_back({"rms_norm",
                "repeated operand",
                [](const Inputs& in) { return rms_norm(in[0], in[1]) * in[0] + in[1]; },
                {values({3, 5}), values({5}, 0.1)}});
}

void add_batch_norm(std::vector<Case>& to) {
  const auto row = [&](const char* variant, std::vector<Tensor> inputs, double eps = 1e-5) {
    to.push_back(
        {"batch_norm", variant,
         [eps](const Inputs& in) { return batch_norm(in[0], {}, {}, second(in), third(in), {.training = true, .eps = eps}); },
         std::move(inputs)});
  };
  row("weight and bias", {values({4, 3}), values({3}, 0.1), values({3}, 0.2)});
  row("weight alone", {values({4, 3}), values({3}, 0.1)});
  row("neither", {values({4, 3})});
  row("a length", {values({3, 2, 4}), values({2}, 0.1), values({2}, 0.2)});
  row("height and width", {values({2, 3, 2, 3}), values({3}, 0.1), values({3}, 0.2)});
  row("one sample", {values({1, 2, 5}), values({2}, 0.1), values({2}, 0.2)});
  row("one channel, large eps", {values({5, 1}), values({1}, 0.1), values({1}, 0.2)}, 0.5);
  row("size 0", {values({0, 3}), values({3}, 0.1), values({3}, 0.2)});
  row("no channels", {values({3, 0}), values({0}), values({0})});
  row("transposed", {transposed({5, 3}, -2, 2), values({3}, 0.1), values({3}, 0.2)});
  row("views", {values({2, 3, 6}).slice(2, 1, 5).flip(0), values({3}, 0.1).flip(0), values({3}, 0.2)});
  to.push_back({"batch_norm",
                "repeated operand",
                [](const Inputs& in) { return batch_norm(in[0], {}, {}, in[1], in[1], {.training = true}) * in[0]; },
                {values({4, 3}), values({3}, 0.1)}});
  const auto evaluated = [&](const char* variant, std::vector<Tensor> inputs) {
    to.push_back({"batch_norm", variant,
                  [](const Inputs& in) {
                    const Shape channels{in[0].size(1)};
                    return batch_norm(in[0], values(channels, 0.3).to(in[0].dtype()),
                                      spread(channels, 0.5, 2).to(in[0].dtype()), second(in), third(in));
                  },
                  std::move(inputs)});
  };
  evaluated("by running values", {values({2, 3, 4}), values({3}, 0.1), values({3}, 0.2)});
  evaluated("by running values, no parameters", {values({4, 3})});
  evaluated("by running values, one element", {values({1, 1}), values({1}, 0.1), values({1}, 0.2)});
  evaluated("by running values, size 0", {values({0, 3, 2}), values({3}, 0.1), values({3}, 0.2)});
}

void add_group_norm(std::vector<Case>& to) {
  const auto row = [&](const char* variant, std::int64_t groups, std::vector<Tensor> inputs, double eps = 1e-5) {
    to.push_back({"group_norm", variant,
                  [groups, eps](const Inputs& in) { return group_norm(in[0], groups, second(in), third(in), eps); },
                  std::move(inputs)});
  };
  row("weight and bias", 2, {values({3, 6}), values({6}, 0.1), values({6}, 0.2)});
  row("weight alone", 2, {values({3, 6}), values({6}, 0.1)});
  row("neither", 2, {values({3, 6})});
  row("one group", 1, {values({2, 3, 2}), values({3}, 0.1), values({3}, 0.2)});
  row("a group a channel", 3, {values({2, 3, 4}), values({3}, 0.1), values({3}, 0.2)});
  row("height and width", 2, {values({2, 4, 2, 3}), values({4}, 0.1), values({4}, 0.2)});
  row("size 0", 2, {values({0, 4, 3}), values({4}, 0.1), values({4}, 0.2)});
  row("no channels", 1, {values({2, 0, 3})});
  row("size 1, large eps", 1, {values({1, 1}), values({1}, 0.1), values({1}, 0.2)}, 0.5);
  row("transposed", 2, {values({3, 4, 2}).transpose(0, 2), values({4}, 0.1), values({4}, 0.2)});
  row("views", 3, {values({2, 6, 5}).slice(2, 1, 4).flip(1), values({6}, 0.1).flip(0), values({6}, 0.2)});
  to.push_back({"group_norm",
                "repeated operand",
                [](const Inputs& in) { return group_norm(in[0], 2, in[1], in[1]) * in[0]; },
                {values({2, 4, 2}), values({4}, 0.1)}});
}

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
  add_rms_norm(to);
  add_batch_norm(to);
  add_group_norm(to);
}

}  // namespace weft::test
