#include "weft/nn/conv.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include "golden/module_golden.hpp"
#include "support/lengths.hpp"
#include "support/random.hpp"
#include "weft/autograd/gradcheck.hpp"
#include "weft/autograd/tape.hpp"
#include "weft/base/error.hpp"

using namespace weft;
using doctest::Contains;
using test::Golden;
using test::lengths_of;
using test::relative_error;
using test::tolerance;
using test::uniform;
using test::with_nan_behind;

namespace {

// Each row with its length gives what it gives alone, and zeros behind.
template <class Module>
void check_padding(Module& module, const Tensor& x, std::initializer_list<std::int64_t> lengths) {
  const Tensor padded = with_nan_behind(x, lengths, 2), steps = lengths_of(lengths), ends = module.output_lengths(steps);
  Tape tape;
  const Var y = module(padded, steps);
  std::int64_t row = 0;
  for (const std::int64_t length : lengths) {
    CAPTURE(row);
    const Tensor got = y.value().slice(0, row, row + 1);
    const std::int64_t end = ends.data<std::int64_t>()[row];
    CHECK(test::largest(got.slice(2, end, got.size(2))) == 0);
    if (end > 0) {
      const Tensor alone = module(x.slice(0, row, row + 1).slice(2, 0, length)).value();
      CHECK(relative_error(got.slice(2, 0, end), alone) <= 1e-12);
    }
    ++row;
  }
  tape.backward(sum(square(y)));
  for (const Parameter* parameter : module.parameters()) CHECK(test::largest(parameter->grad()) > 0);  // and so no NaN
}

}  // namespace

TEST_CASE("Conv1d equals PyTorch's") {
  const Golden golden = Golden::load("conv1d");
  for (const DType dtype : {f32, f64}) {
    nn::Conv1d conv(
        {.in_channels = 4, .out_channels = 6, .kernel_size = 3, .stride = 2, .padding = 1, .dilation = 2, .groups = 2});
    test::fill(conv, golden, dtype);
    Tape tape;
    const Var x = tape.leaf(golden["input"].to(dtype)), y = conv(x);
    CHECK(relative_error(y.value(), golden["output"]) <= tolerance(dtype));
    tape.backward(test::weighted(golden, "output", y));
    CHECK(relative_error(tape.grad(x), golden["grad.input"]) <= tolerance(dtype));
    test::check_parameters(conv, golden, dtype);
  }
}

TEST_CASE("Conv2d equals PyTorch's: stride, padding, dilation, groups") {
  const Golden golden = Golden::load("conv2d");
  for (const std::string number : {"0.", "1.", "2."}) {
    CAPTURE(number);
    const Tensor &o = golden[number + "options"], &weight = golden[number + "weight"];
    const auto option = [&](std::int64_t i) { return static_cast<std::int64_t>(o.at({i})); };
    nn::Conv2d conv({.in_channels = weight.size(1) * option(6),
                     .out_channels = weight.size(0),
                     .kernel_size = {weight.size(2), weight.size(3)},
                     .stride = {option(0), option(1)},
                     .padding = {option(2), option(3)},
                     .dilation = {option(4), option(5)},
                     .groups = option(6)});
    conv.to(f64);
    conv.load_state_dict(StateDict{{"weight", weight}, {"bias", golden[number + "bias"]}});
    Tape tape;
    const Var x = tape.leaf(golden[number + "input"]), y = conv(x);
    CHECK(relative_error(y.value(), golden[number + "output"]) <= 1e-12);
    tape.backward(sum(y * golden[number + "cotangent.output"]));
    CHECK(relative_error(tape.grad(x), golden[number + "grad.input"]) <= 1e-12);
    CHECK(relative_error(conv.weight->grad(), golden[number + "grad.weight"]) <= 1e-12);
    CHECK(relative_error(conv.bias->grad(), golden[number + "grad.bias"]) <= 1e-12);
  }
}

TEST_CASE("convolutions start within PyTorch's bound") {
  nn::Conv1d one({.in_channels = 8, .out_channels = 6, .kernel_size = 2, .groups = 2});
  for (const Parameter* parameter : one.parameters()) {
    CHECK(test::largest(parameter->value()) <= 1 / std::sqrt(8.0));
    CHECK(test::largest(parameter->value()) > 0.2);
  }
  nn::Conv2d two({.in_channels = 4, .out_channels = 6, .kernel_size = {3, 3}, .bias = false});
  CHECK(two.parameters().size() == 1);
  CHECK(test::largest(two.weight->value()) <= 1.0 / 6);
  CHECK(test::largest(two.weight->value()) > 0.1);
}

TEST_CASE("rows of a convolution with their lengths give what they give alone, whatever stands behind") {
  for (const std::int64_t stride : {1, 2}) {
    nn::Conv1d one({.in_channels = 3, .out_channels = 4, .kernel_size = 3, .stride = stride, .padding = 1});
    one.to(f64);
    check_padding(one, uniform({4, 3, 7}, -1, 1, 1), {7, 3, 0, 4});
    nn::Conv2d two({.in_channels = 2, .out_channels = 3, .kernel_size = {3, 2}, .stride = {stride, 1}, .dilation = {2, 1}});
    two.to(f64);
    check_padding(two, uniform({4, 2, 9, 4}, -1, 1, 2), {9, 4, 6, 5});
  }
  nn::Conv1d one({.in_channels = 3, .out_channels = 4, .kernel_size = 3, .stride = 2});
  const Tensor lengths = one.output_lengths(Tensor::from<std::int32_t>({7, 3, 2, 0}, {4}));
  CHECK(test::largest_difference(lengths.to(f64), lengths_of({3, 1, 0, 0}).to(f64)) == 0);
}

TEST_CASE("convolutions pass the gradient checks of both orders") {
  nn::Conv1d one({.in_channels = 4, .out_channels = 2, .kernel_size = 3, .stride = 2, .padding = 1, .groups = 2});
  nn::Conv2d two({.in_channels = 2, .out_channels = 2, .kernel_size = 2, .padding = {1, 0}});
  one.to(f64);
  two.to(f64);
  const Tensor sequence = uniform({2, 4, 5}, -1, 1, 3), image = uniform({2, 2, 4, 3}, -1, 1, 4), lengths = lengths_of({5, 3});
  const auto first = [&] { return sum(square(one(sequence, lengths))); };
  const auto second = [&] { return sum(square(two(image, lengths_of({4, 2})))); };
  gradcheck_parameters(first, one.parameters()).require();
  gradgradcheck_parameters(first, one.parameters()).require();
  gradcheck_parameters(second, two.parameters()).require();
  gradgradcheck_parameters(second, two.parameters()).require();
  const auto of_input = [&](const std::vector<Var>& in) { return one(in[0], lengths); };
  gradcheck(of_input, {sequence}).require();
  gradgradcheck(of_input, {sequence}).require();
}

TEST_CASE("what doesn't fit a convolution is refused with its name and shapes") {
  nn::Conv1d one({.in_channels = 4, .out_channels = 6, .kernel_size = 3});
  nn::Conv2d two({.in_channels = 4, .out_channels = 6, .kernel_size = 3});
  CHECK_THROWS_WITH_AS(one(Tensor::zeros({2, 3, 7})), Contains("[Conv1d] input f32[2, 3, 7] is not [N, 4, L]"), ShapeError);
  CHECK_THROWS_WITH_AS(two(Tensor::zeros({2, 4, 7})), Contains("[Conv2d] input f32[2, 4, 7] is not [N, 4, H, W]"), ShapeError);
  CHECK_THROWS_AS(one(Tensor::zeros({4, 7})), ShapeError);
  CHECK_THROWS_AS(one(Var()), ValueError);
  CHECK_THROWS_AS(two(Var()), ValueError);
  CHECK_THROWS_AS(one(Tensor::zeros({2, 4, 7}, f64)), DTypeError);
  CHECK_THROWS_AS(one(Tensor::zeros({2, 4, 2})), ShapeError);  // shorter than the kernel
  CHECK_THROWS_WITH_AS(one(Tensor::zeros({2, 4, 7}), lengths_of({8, 1})), Contains("[Conv1d] length 8 of row 0"), ValueError);
  CHECK_THROWS_AS(one(Tensor::zeros({2, 4, 7}), lengths_of({1})), ShapeError);
  CHECK_THROWS_AS(one(Tensor::zeros({2, 4, 7}), Tensor::zeros({2})), DTypeError);
  CHECK_THROWS_AS(two.output_lengths(lengths_of({3, -1})), ValueError);
  CHECK_THROWS_AS(two.output_lengths(Tensor()), ValueError);
  CHECK_THROWS_AS(one.output_lengths(Tensor::zeros({1, 2}, i64)), ShapeError);
  CHECK(one(Tensor::zeros({0, 4, 7})).shape() == Shape{0, 6, 5});
  using One = nn::Conv1dOptions;
  using Two = nn::Conv2dOptions;
  CHECK_THROWS_WITH_AS(nn::Conv1d(One{.in_channels = 4, .kernel_size = 3}), Contains("out_channels 0"), ValueError);
  CHECK_THROWS_WITH_AS(nn::Conv1d(One{.in_channels = 4, .out_channels = 2}), Contains("kernel_size is 0"), ValueError);
  CHECK_THROWS_WITH_AS(nn::Conv1d(One{.in_channels = 4, .out_channels = 2, .kernel_size = 1, .groups = 3}),
                       Contains("3 groups don't divide 4"), ValueError);
  CHECK_THROWS_AS(nn::Conv1d(One{.in_channels = 4, .out_channels = 2, .kernel_size = 1, .stride = 0}), ValueError);
  CHECK_THROWS_AS(nn::Conv2d(Two{.in_channels = 4, .out_channels = 2, .kernel_size = 1, .padding = {0, -1}}), ValueError);
  CHECK_THROWS_AS(nn::Conv2d(Two{.in_channels = 4, .out_channels = 2, .kernel_size = 1, .dilation = {0, 1}}), ValueError);
}
