#include "ops/case_values.hpp"
#include "ops/cases.hpp"
#include "weft/ops/elementwise.hpp"
#include "weft/ops/pooling.hpp"
#include "weft/ops/resize.hpp"

namespace weft::test {
namespace {

using Inputs = std::vector<Var>;

Tensor values(const Shape& shape, double start = 0.5) { return spread(shape, -2, 2, start); }

// What both kinds of pooling have to bear in one dimension; `options` has a stride and a padding.
template <class Options, class Pool>
void add_one_dimension(std::vector<Case>& to, const char* op, const Pool& pool) {
  const auto row = [&](const char* variant, Tensor x, std::int64_t kernel, const Options& options = {}) {
    to.push_back({op, variant, [=](const Inputs& in) { return pool(in[0], kernel, options); }, {std::move(x)}});
  };
  row("windows side by side", values({2, 3, 8}), 2);
  row("what doesn't fill a window is left out", values({2, 2, 11}), 3);
  row("no batch", values({3, 7}), 3);
  row("overlapping windows", values({2, 2, 9}), 3, {.stride = 1});
  row("gaps between windows", values({2, 2, 9}), 2, {.stride = 4});
  row("padding", values({2, 2, 7}), 3, {.stride = 2, .padding = 1});
  row("padding of half the kernel", values({1, 2, 5}), 4, {.padding = 2});
  row("kernel 1", values({2, 2, 5}), 1);
  row("one window", values({2, 3, 5}), 5);
  row("size 0", values({0, 3, 5}), 2);
  row("size 1", values({1, 1, 1}), 1);
  row("transposed", values({7, 3, 2}).transpose(0, 2), 3, {.stride = 2});
  row("sliced, flipped", values({2, 5, 9}).slice(1, 1, 3).flip(2), 2);
  to.push_back({op,
                "repeated operand",
                [=](const Inputs& in) { return pool(in[0], 3, {.stride = 1, .padding = 1}) * in[0]; },
                {values({2, 2, 5})}});
}

template <class Options, class Pool>
void add_two_dimensions(std::vector<Case>& to, const char* op, const Pool& pool) {
  const auto row = [&](const char* variant, Tensor x, Size2d kernel, const Options& options = {}) {
    to.push_back({op, variant, [=](const Inputs& in) { return pool(in[0], kernel, options); }, {std::move(x)}});
  };
  row("windows side by side", values({2, 2, 4, 6}), 2);
  row("what doesn't fill a window is left out", values({1, 2, 5, 7}), {2, 3});
  row("no batch", values({2, 4, 5}), {3, 2});
  row("overlapping windows", values({2, 2, 4, 5}), 3, {.stride = {1, 2}});
  row("gaps between windows", values({1, 2, 7, 6}), {2, 1}, {.stride = {4, 3}});
  row("padding", values({2, 2, 5, 4}), 3, {.stride = 2, .padding = 1});
  row("padding of half the kernel", values({1, 2, 3, 5}), {2, 4}, {.padding = {1, 2}});
  row("kernel 1 x 1", values({2, 2, 2, 3}), 1);
  row("one window", values({2, 3, 3, 4}), {3, 4});
  row("size 0", values({2, 0, 4, 4}), 2);
  row("size 1", values({1, 1, 1, 1}), 1);
  row("transposed", values({5, 4, 2, 2}).permute({3, 2, 1, 0}), 2, {.stride = 1});
  row("sliced, flipped", values({2, 2, 6, 7}).slice(2, 1, 5).flip(3), {2, 3});
  to.push_back({op,
                "repeated operand",
                [=](const Inputs& in) { return pool(in[0], 3, {.stride = 1, .padding = 1}) * in[0]; },
                {values({1, 2, 3, 4})}});
}

void add_interpolate(std::vector<Case>& to) {
  const auto row = [&](const char* variant, Tensor x, const InterpolateOptions& options) {
    to.push_back({"interpolate", variant, [options](const Inputs& in) { return interpolate(in[0], options); }, {std::move(x)}});
  };
  row("length by size", values({2, 3, 4}), {.size = 7});
  row("length by factor", values({2, 3, 4}), {.scale_factor = 2.5});
  row("length made shorter", values({2, 3, 7}), {.size = 3});
  row("twice", values({2, 2, 2, 3}), {.scale_factor = 2});
  row("two factors", values({2, 2, 3, 4}), {.scale_factor = {1.7, 0.6}});
  row("two sizes", values({1, 2, 3, 4}), {.size = {5, 2}});
  row("the same size", values({2, 2, 3, 3}), {.size = 3});
  row("to one element", values({2, 2, 3, 3}), {.size = 1});
  row("size 0", values({0, 2, 3, 3}), {.size = {2, 4}});
  row("size 1", values({1, 1, 1}), {.scale_factor = 3});
  row("transposed", values({4, 3, 2, 2}).permute({3, 2, 1, 0}), {.scale_factor = 1.5});
  row("sliced, flipped", values({2, 4, 5}).slice(1, 1, 3).flip(2), {.size = 8});
  to.push_back({"interpolate",
                "repeated operand",
                [](const Inputs& in) { return interpolate(in[0], {.size = 4}) * in[0]; },
                {values({2, 3, 4})}});
}

}  // namespace

void add_pooling_cases(std::vector<Case>& to) {
  add_one_dimension<MaxPool1dOptions>(to, "max_pool1d", max_pool1d);
  add_two_dimensions<MaxPool2dOptions>(to, "max_pool2d", max_pool2d);
  add_one_dimension<AvgPool1dOptions>(to, "avg_pool1d", avg_pool1d);
  add_two_dimensions<AvgPool2dOptions>(to, "avg_pool2d", avg_pool2d);
  to.push_back({"avg_pool1d",
                "padding not counted",
                [](const Inputs& in) { return avg_pool1d(in[0], 4, {.stride = 3, .padding = 2, .count_include_pad = false}); },
                {values({2, 2, 7})}});
  to.push_back({"avg_pool2d",
                "padding not counted",
                [](const Inputs& in) { return avg_pool2d(in[0], 3, {.stride = 2, .padding = 1, .count_include_pad = false}); },
                {values({1, 2, 5, 4})}});
  add_interpolate(to);
}

}  // namespace weft::test
