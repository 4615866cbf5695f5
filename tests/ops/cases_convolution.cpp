#include "ops/case_values.hpp"
#include "ops/cases.hpp"
#include "weft/ops/convolution.hpp"
#include "weft/ops/elementwise.hpp"

namespace weft::test {
namespace {

using Inputs = std::vector<Var>;

Tensor values(const Shape& shape, double start = 0.5) { return spread(shape, -1, 1, start); }

Var third(const Inputs& in) { return in.size() > 2 ? in[2] : Var(); }

void add_conv1d(std::vector<Case>& to) {
  const auto row = [&](const char* variant, std::vector<Tensor> inputs, const Conv1dOptions& options = {}) {
    to.push_back({"conv1d", variant, [options](const Inputs& in) { return conv1d(in[0], in[1], third(in), options); },
                  std::move(inputs)});
  };
  row("with bias", {values({2, 3, 7}), values({4, 3, 3}, 0.1), values({4}, 0.2)});
  row("without bias", {values({2, 3, 7}), values({4, 3, 3}, 0.1)});
  row("no batch", {values({3, 7}), values({2, 3, 2}, 0.1), values({2}, 0.2)});
  row("stride", {values({2, 2, 9}), values({3, 2, 2}, 0.1)}, {.stride = 3});
  row("padding", {values({1, 2, 5}), values({3, 2, 3}, 0.1), values({3}, 0.2)}, {.padding = 2});
  row("dilation", {values({1, 2, 9}), values({3, 2, 3}, 0.1)}, {.dilation = 3});
  row("groups", {values({2, 4, 5}), values({6, 2, 2}, 0.1), values({6}, 0.2)}, {.groups = 2});
  row("depthwise", {values({2, 3, 5}), values({3, 1, 3}, 0.1)}, {.padding = 1, .groups = 3});
  row("all options", {values({2, 4, 11}), values({2, 2, 3}, 0.1), values({2}, 0.2)},
      {.stride = 2, .padding = 3, .dilation = 2, .groups = 2});
  row("kernel 1", {values({2, 3, 5}), values({2, 3, 1}, 0.1), values({2}, 0.2)});
  row("size 0", {values({0, 3, 5}), values({2, 3, 2}, 0.1), values({2}, 0.2)});
  row("no channels", {values({2, 0, 5}), values({2, 0, 2}), values({2}, 0.2)});
  row("size 1", {values({1, 1, 1}), values({1, 1, 1}, 0.1), values({1}, 0.2)});
  row("views",
      {values({7, 3, 2}).permute({2, 1, 0}), values({3, 3, 4}, 0.1).transpose(0, 2), values({8}, 0.2).slice(0, 1, 5).flip(0)});
  row("large enough for oneDNN", {values({2, 5, 17}), values({7, 5, 3}, 0.1), values({7}, 0.2)}, {.stride = 2, .padding = 1});
  to.push_back({"conv1d",
                "repeated operand",
                [](const Inputs& in) { return conv1d(in[0], in[0], {}, {.padding = 1}); },
                {values({2, 2, 3})}});
}

void add_conv2d(std::vector<Case>& to) {
  const auto row = [&](const char* variant, std::vector<Tensor> inputs, const Conv2dOptions& options = {}) {
    to.push_back({"conv2d", variant, [options](const Inputs& in) { return conv2d(in[0], in[1], third(in), options); },
                  std::move(inputs)});
  };
  row("with bias", {values({2, 2, 4, 5}), values({3, 2, 3, 2}, 0.1), values({3}, 0.2)});
  row("without bias", {values({2, 2, 4, 5}), values({3, 2, 2, 3}, 0.1)});
  row("no batch", {values({2, 4, 5}), values({3, 2, 2, 2}, 0.1), values({3}, 0.2)});
  row("stride", {values({1, 2, 5, 6}), values({2, 2, 2, 2}, 0.1)}, {.stride = {2, 3}});
  row("padding", {values({1, 2, 3, 2}), values({2, 2, 3, 3}, 0.1), values({2}, 0.2)}, {.padding = {1, 2}});
  row("more padding than kernel", {values({1, 1, 2, 3}), values({2, 1, 2, 1}, 0.1), values({2}, 0.2)}, {.padding = {3, 2}});
  row("dilation", {values({1, 2, 5, 6}), values({2, 2, 2, 3}, 0.1)}, {.dilation = {3, 2}});
  row("groups", {values({2, 4, 3, 3}), values({6, 2, 2, 2}, 0.1), values({6}, 0.2)}, {.groups = 2});
  row("depthwise", {values({2, 3, 4, 3}), values({3, 1, 3, 3}, 0.1)}, {.padding = 1, .groups = 3});
  row("all options", {values({2, 4, 7, 6}), values({2, 2, 3, 2}, 0.1), values({2}, 0.2)},
      {.stride = {2, 1}, .padding = {2, 1}, .dilation = {2, 3}, .groups = 2});
  row("kernel 1 x 1", {values({2, 3, 3, 2}), values({2, 3, 1, 1}, 0.1), values({2}, 0.2)});
  row("kernel as large as the input", {values({2, 2, 3, 4}), values({2, 2, 3, 4}, 0.1)});
  row("size 0", {values({0, 2, 4, 4}), values({2, 2, 2, 2}, 0.1), values({2}, 0.2)});
  row("no outputs", {values({2, 2, 4, 4}), values({0, 2, 2, 2})});
  row("size 1", {values({1, 1, 1, 1}), values({1, 1, 1, 1}, 0.1), values({1}, 0.2)});
  row("views",
      {values({5, 4, 2, 2}).permute({3, 2, 1, 0}), values({3, 2, 3, 4}, 0.1).slice(3, 1, 3).flip(2), values({3}, 0.2)});
  row("large enough for oneDNN", {values({2, 3, 6, 7}), values({5, 3, 3, 2}, 0.1), values({5}, 0.2)},
      {.stride = {1, 2}, .padding = 1});
  row("groups, large enough for oneDNN", {values({2, 6, 5, 5}), values({6, 3, 3, 3}, 0.1), values({6}, 0.2)},
      {.padding = 1, .groups = 2});
  to.push_back({"conv2d",
                "repeated operand",
                [](const Inputs& in) { return conv2d(in[0], in[0], {}, {.padding = 1}); },
                {values({2, 2, 2, 3})}});
  to.push_back({"conv2d",
                "one weight twice",
                [](const Inputs& in) { return conv2d(tanh(conv2d(in[0], in[1], in[2], {.padding = 1})), in[1], in[2]); },
                {values({1, 2, 3, 3}), values({2, 2, 3, 3}, 0.1), values({2}, 0.2)}});
}

void add_conv_transpose1d(std::vector<Case>& to) {
  const auto row = [&](const char* variant, std::vector<Tensor> inputs, const ConvTranspose1dOptions& options = {}) {
    to.push_back({"conv_transpose1d", variant,
                  [options](const Inputs& in) { return conv_transpose1d(in[0], in[1], third(in), options); },
                  std::move(inputs)});
  };
  row("with bias", {values({2, 3, 4}), values({3, 2, 3}, 0.1), values({2}, 0.2)});
  row("without bias", {values({2, 3, 4}), values({3, 2, 3}, 0.1)});
  row("no batch", {values({3, 4}), values({3, 2, 2}, 0.1), values({2}, 0.2)});
  row("stride", {values({1, 2, 4}), values({2, 3, 2}, 0.1)}, {.stride = 3});
  row("padding", {values({1, 2, 5}), values({2, 3, 3}, 0.1), values({3}, 0.2)}, {.padding = 2});
  row("dilation", {values({1, 2, 3}), values({2, 3, 3}, 0.1)}, {.dilation = 2});
  row("output padding", {values({1, 2, 3}), values({2, 3, 3}, 0.1), values({3}, 0.2)}, {.stride = 2, .output_padding = 1});
  row("output padding beyond the stride", {values({1, 2, 3}), values({2, 1, 2}, 0.1)}, {.output_padding = 2, .dilation = 3});
  row("groups", {values({2, 4, 3}), values({4, 3, 2}, 0.1), values({6}, 0.2)}, {.groups = 2});
  row("depthwise", {values({2, 3, 3}), values({3, 1, 3}, 0.1)}, {.stride = 2, .groups = 3});
  row("size 0", {values({0, 3, 4}), values({3, 2, 2}, 0.1), values({2}, 0.2)});
  row("size 1", {values({1, 1, 1}), values({1, 1, 1}, 0.1), values({1}, 0.2)});
  row("views", {values({4, 3, 2}).permute({2, 1, 0}), values({3, 2, 3}, 0.1).transpose(0, 2), values({2}, 0.2).flip(0)});
  row("large enough for oneDNN", {values({2, 7, 9}), values({7, 5, 4}, 0.1), values({5}, 0.2)}, {.stride = 2, .padding = 1});
  to.push_back({"conv_transpose1d",
                "repeated operand",
                [](const Inputs& in) { return conv_transpose1d(in[0], in[0]); },
                {values({2, 2, 3})}});
}

void add_conv_transpose2d(std::vector<Case>& to) {
  const auto row = [&](const char* variant, std::vector<Tensor> inputs, const ConvTranspose2dOptions& options = {}) {
    to.push_back({"conv_transpose2d", variant,
                  [options](const Inputs& in) { return conv_transpose2d(in[0], in[1], third(in), options); },
                  std::move(inputs)});
  };
  row("with bias", {values({2, 2, 3, 2}), values({2, 3, 2, 3}, 0.1), values({3}, 0.2)});
  row("without bias", {values({2, 2, 3, 2}), values({2, 3, 2, 2}, 0.1)});
  row("no batch", {values({2, 3, 2}), values({2, 3, 2, 2}, 0.1), values({3}, 0.2)});
  row("stride", {values({1, 2, 2, 3}), values({2, 2, 2, 2}, 0.1)}, {.stride = {2, 3}});
  row("padding", {values({1, 2, 3, 3}), values({2, 2, 3, 3}, 0.1), values({2}, 0.2)}, {.padding = {1, 2}});
  row("dilation", {values({1, 2, 2, 3}), values({2, 2, 2, 2}, 0.1)}, {.dilation = {3, 2}});
  row("output padding", {values({1, 2, 2, 2}), values({2, 2, 2, 3}, 0.1)}, {.stride = {2, 3}, .output_padding = {1, 2}});
  row("groups", {values({2, 4, 2, 2}), values({4, 2, 2, 2}, 0.1), values({4}, 0.2)}, {.groups = 2});
  row("all options", {values({1, 4, 3, 2}), values({4, 1, 3, 2}, 0.1), values({2}, 0.2)},
      {.stride = 2, .padding = {2, 1}, .output_padding = {1, 0}, .dilation = {2, 1}, .groups = 2});
  row("size 0", {values({0, 2, 3, 3}), values({2, 2, 2, 2}, 0.1), values({2}, 0.2)});
  row("size 1", {values({1, 1, 1, 1}), values({1, 1, 1, 1}, 0.1), values({1}, 0.2)});
  row("views",
      {values({3, 2, 2, 2}).permute({3, 2, 1, 0}), values({2, 2, 3, 4}, 0.1).slice(3, 1, 3).flip(2), values({2}, 0.2)});
  row("large enough for oneDNN", {values({2, 5, 3, 4}), values({5, 3, 3, 3}, 0.1), values({3}, 0.2)},
      {.stride = 2, .padding = 1});
  to.push_back({"conv_transpose2d",
                "repeated operand",
                [](const Inputs& in) { return conv_transpose2d(in[0], in[0]); },
                {values({2, 2, 2, 2})}});
}

}  // namespace

void add_convolution_cases(std::vector<Case>& to) {
  add_conv1d(to);
  add_conv2d(to);
  add_conv_transpose1d(to);
  add_conv_transpose2d(to);
}

}  // namespace weft::test
