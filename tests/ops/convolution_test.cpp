#include "weft/ops/convolution.hpp"

#include <doctest/doctest.h>

#include <limits>
#include <string>

#include "golden/golden.hpp"
#include "support/random.hpp"
#include "weft/autograd/tape.hpp"
#include "weft/base/error.hpp"
#include "weft/base/threads.hpp"
#include "weft/ops/elementwise.hpp"
#include "weft/ops/reduce.hpp"

using namespace weft;
using namespace weft::test;

namespace {

double tolerance(DType dtype) { return dtype == f32 ? 1e-6 : 1e-12; }

Tensor ones(const Shape& shape) { return Tensor::ones(shape); }

Tensor range(const Shape& shape) {
  Tensor x = Tensor::empty(shape);
  for (std::int64_t i = 0; i < x.numel(); ++i) x.mutable_data<float>()[i] = static_cast<float>(i);
  return x;
}

// Output and gradients against PyTorch's; `prefix` stands before the names in the file.
template <class Function>
void check_golden(const Golden& golden, const std::string& prefix, const Function& function) {
  for (const DType dtype : {f32, f64}) {
    Tape tape;
    const auto leaf = [&](const char* name) { return tape.leaf(golden[prefix + name].to(dtype)); };
    const Var x = leaf("input"), weight = leaf("weight"), bias = leaf("bias"), y = function(x, weight, bias);
    CHECK(relative_error(y.value(), golden[prefix + "output"]) <= tolerance(dtype));
    tape.backward(y, golden[prefix + "cotangent.output"].to(dtype));
    CHECK(relative_error(tape.grad(x), golden[prefix + "grad.input"]) <= tolerance(dtype));
    CHECK(relative_error(tape.grad(weight), golden[prefix + "grad.weight"]) <= tolerance(dtype));
    CHECK(relative_error(tape.grad(bias), golden[prefix + "grad.bias"]) <= tolerance(dtype));
  }
}

}  // namespace

TEST_CASE("conv2d equals PyTorch's: stride, padding, dilation, groups") {
  const Golden golden = Golden::load("conv2d");
  for (const char* number : {"0.", "1.", "2."}) {
    CAPTURE(number);
    const Tensor& o = golden[std::string(number) + "options"];
    const auto option = [&](std::int64_t i) { return static_cast<std::int64_t>(o.at({i})); };
    check_golden(golden, number, [&](const Var& x, const Var& weight, const Var& bias) {
      return conv2d(x, weight, bias,
                    {.stride = {option(0), option(1)},
                     .padding = {option(2), option(3)},
                     .dilation = {option(4), option(5)},
                     .groups = option(6)});
    });
  }
}

TEST_CASE("conv_transpose2d equals PyTorch's") {
  check_golden(Golden::load("conv_transpose2d"), "", [](const Var& x, const Var& weight, const Var& bias) {
    return conv_transpose2d(x, weight, bias,
                            {.stride = {2, 3}, .padding = {1, 0}, .output_padding = {1, 2}, .dilation = {2, 1}, .groups = 2});
  });
}

TEST_CASE("small convolutions by hand") {
  // 0 1 2 3 4 with the kernel 1 10
  const Tensor x = range({1, 1, 5}), w = Tensor::from<float>({1, 10}, {1, 1, 2});
  const Tensor y = conv1d(x, w, Tensor::from<float>({0.5f}, {1})).value();
  CHECK(y.shape() == Shape{1, 1, 4});
  for (const std::int64_t i : {0, 1, 2, 3}) CHECK(y.at({0, 0, i}) == static_cast<double>(i + 10 * (i + 1)) + 0.5);
  const Tensor padded = conv1d(x, w, {}, {.stride = 2, .padding = 1}).value();
  CHECK(padded.shape() == Shape{1, 1, 3});
  CHECK(padded.at({0, 0, 0}) == 0);
  CHECK(padded.at({0, 0, 1}) == 1 + 20);
  CHECK(padded.at({0, 0, 2}) == 3 + 40);
  const Tensor wide = conv1d(x, w, {}, {.dilation = 3}).value();
  CHECK(wide.shape() == Shape{1, 1, 2});
  CHECK(wide.at({0, 0, 1}) == 1 + 40);
  const Tensor square = conv2d(range({1, 1, 3, 3}), ones({1, 1, 2, 2})).value();
  CHECK(square.at({0, 0, 0, 0}) == 0 + 1 + 3 + 4);
  CHECK(square.at({0, 0, 1, 1}) == 4 + 5 + 7 + 8);
  const Tensor spread = conv_transpose1d(x, w, {}, {.stride = 2}).value();  // 0 0 1 10 2 20 3 30 4 40
  CHECK(spread.shape() == Shape{1, 1, 10});
  CHECK(spread.at({0, 0, 6}) == 3);
  CHECK(spread.at({0, 0, 9}) == 40);
}

TEST_CASE("the batch dimension may be missing, sizes may be 0") {
  const Tensor x = uniform({3, 6, 5}, -1, 1, 1), w = uniform({4, 3, 2, 2}, -1, 1, 2);
  const Tensor y = conv2d(x, w).value();
  CHECK(y.shape() == Shape{4, 5, 4});
  CHECK(largest_difference(y, conv2d(x.unsqueeze(0), w).value().squeeze(0)) == 0);
  CHECK(conv1d(x.select(1, 0), w.select(2, 0)).shape() == Shape{4, 4});
  CHECK(conv_transpose2d(x, w.transpose(0, 1)).shape() == Shape{4, 7, 6});
  CHECK(conv_transpose1d(x.select(1, 0), w.select(2, 0).transpose(0, 1)).shape() == Shape{4, 6});
  CHECK(conv2d(Tensor::zeros({0, 3, 5, 5}), Tensor::zeros({4, 3, 2, 2})).shape() == Shape{0, 4, 4, 4});
  const Tensor bias = conv2d(Tensor::zeros({2, 0, 3, 3}), Tensor::zeros({2, 0, 2, 2}), Tensor::full({2}, 7)).value();
  CHECK(bias.at({1, 1, 1, 1}) == 7);
  // Nothing but padding.
  CHECK(conv1d(Tensor::zeros({1, 1, 0}), ones({1, 1, 2}), Tensor::full({1}, 3), {.padding = 1}).value().at({0, 0, 0}) == 3);
}

TEST_CASE("a convolution and its transposed form are adjoint") {
  for (const DType dtype : {f32, f64}) {
    const Tensor x = uniform({2, 6, 9, 8}, -1, 1, 1, dtype), w = uniform({4, 3, 3, 2}, -1, 1, 2, dtype);
    const Var y = conv2d(x, w, {}, {.stride = 2, .padding = 1, .groups = 2});
    const Tensor g = uniform(y.shape(), -1, 1, 3, dtype);
    const Var back = conv_transpose2d(g, w, {}, {.stride = 2, .padding = 1, .output_padding = {0, 0}, .groups = 2});
    REQUIRE(back.shape() == x.shape());
    CHECK(sum(y * g).item() == doctest::Approx(sum(back * x).item()).epsilon(dtype == f32 ? 1e-5 : 1e-12));
  }
}

TEST_CASE("derivatives of a convolution are the same bits for any number of threads where asked") {
  const Tensor x = uniform({6, 8, 14, 13}, -1, 1, 1, f32), w = uniform({12, 8, 3, 3}, -1, 1, 2, f32),
               b = uniform({12}, -1, 1, 3, f32);
  const int threads = num_threads();
  deterministic(true);
  Tensor first[3];
  for (const int n : {1, 2, 4}) {
    set_num_threads(n);
    Tape tape;
    const Var leaves[] = {tape.leaf(x), tape.leaf(w), tape.leaf(b)};
    tape.backward(sum(square(conv2d(leaves[0], leaves[1], leaves[2], {.padding = 1}))));
    for (int i = 0; i < 3; ++i) {
      if (n == 1) first[i] = tape.grad(leaves[i]).clone();
      CHECK(largest_difference(tape.grad(leaves[i]), first[i]) == 0);
    }
  }
  deterministic(false);
  set_num_threads(threads);
}

TEST_CASE("a NaN shows where it belongs") {
  Tensor x = ones({1, 1, 6});
  x.mutable_data<float>()[5] = std::numeric_limits<float>::quiet_NaN();
  const Tensor y = conv1d(x, ones({1, 1, 3})).value();
  CHECK(y.at({0, 0, 2}) == 3);
  CHECK(y.at({0, 0, 3}) != y.at({0, 0, 3}));
  // Multiplied by a weight of 0 as well.
  CHECK(conv1d(x, Tensor::zeros({1, 1, 3})).value().at({0, 0, 3}) != 0);
}

TEST_CASE("wrong operands of convolutions are named with their shapes") {
  using doctest::Contains;
  const Tensor x = ones({2, 3, 8, 8}), w = ones({4, 3, 3, 3});
  CHECK_THROWS_WITH_AS(conv2d(x, ones({4, 3, 9, 3})), Contains("[conv2d] the kernel of weight [4, 3, 9, 3] is larger than"),
                       ShapeError);
  CHECK_THROWS_WITH_AS(conv2d(x, w, {}, {.dilation = 4}), Contains("the kernel spans 9"), ShapeError);
  CHECK_THROWS_WITH_AS(conv2d(x, ones({4, 2, 3, 3})), Contains("input [2, 3, 8, 8] doesn't fit weight [4, 2, 3, 3]"),
                       ShapeError);
  CHECK_THROWS_AS(conv2d(x, ones({4, 1, 3, 3}), {}, {.groups = 3}), ShapeError);
  CHECK_THROWS_WITH_AS(conv2d(x, w, ones({3})), Contains("bias f32[3] doesn't fit weight [4, 3, 3, 3]: [4]"), ShapeError);
  CHECK_THROWS_WITH_AS(conv2d(ones({8, 8}), w), Contains("[N, C, height, width]"), ShapeError);
  CHECK_THROWS_AS(conv2d(x, ones({4, 3, 3})), ShapeError);
  CHECK_THROWS_AS(conv2d(x, ones({4, 3, 3, 0})), ShapeError);
  CHECK_THROWS_WITH_AS(conv2d(x, w.to(f64)), Contains("[conv2d] input f32[2, 3, 8, 8], weight f64[4, 3, 3, 3]"), DTypeError);
  CHECK_THROWS_AS(conv2d(x.to(i64), w.to(i64)), DTypeError);
  CHECK_THROWS_WITH_AS(conv2d(x, Tensor()), Contains("[conv2d] the weight is undefined"), ValueError);
  CHECK_THROWS_WITH_AS(conv2d(x, w, {}, {.stride = {1, 0}}), Contains("[conv2d] stride is 0"), ValueError);
  CHECK_THROWS_AS(conv2d(x, w, {}, {.padding = -1}), ValueError);
  CHECK_THROWS_AS(conv2d(x, w, {}, {.dilation = 0}), ValueError);
  CHECK_THROWS_AS(conv2d(x, w, {}, {.groups = 0}), ValueError);
  CHECK_THROWS_AS(conv2d(x, w, {}, {.padding = std::numeric_limits<std::int64_t>::max()}), ValueError);

  CHECK_THROWS_WITH_AS(conv1d(x, ones({4, 3, 3})), Contains("[conv1d] input [2, 3, 8, 8]: [N, C, length]"), ShapeError);
  CHECK_THROWS_WITH_AS(conv1d(ones({2, 3, 8}), ones({4, 3, 9})), Contains("[conv1d] the kernel of weight [4, 3, 9]"),
                       ShapeError);
  CHECK_THROWS_AS(conv1d(ones({2, 3, 8}), w), ShapeError);
  CHECK_THROWS_AS(conv1d(ones({2, 3, 8}), ones({4, 3, 2}), {}, {.stride = 0}), ValueError);

  CHECK_THROWS_WITH_AS(conv_transpose2d(x, w),
                       Contains("[conv_transpose2d] input [2, 3, 8, 8] doesn't fit weight [4, 3, 3, 3]"), ShapeError);
  CHECK_THROWS_WITH_AS(conv_transpose2d(ones({1, 4, 1, 1}), w, {}, {.padding = 2}), Contains("leave -1 elements"), ShapeError);
  CHECK_THROWS_AS(conv_transpose2d(ones({1, 4, 2, 2}), w, {}, {.output_padding = 1}), ValueError);
  CHECK_THROWS_AS(conv_transpose2d(ones({1, 4, 2, 2}), w, ones({4})), ShapeError);
  CHECK_THROWS_AS(conv_transpose1d(ones({1, 4, 2, 2}), ones({4, 3, 2})), ShapeError);
  CHECK_THROWS_AS(conv_transpose1d(ones({1, 4, 2}), ones({3, 3, 2})), ShapeError);
  CHECK_THROWS_AS(conv_transpose1d(ones({1, 4, 2}), ones({4, 3, 2}).to(f64)), DTypeError);
  CHECK_THROWS_AS(conv_transpose1d(ones({1, 4, 2}), ones({4, 3, 2}), {}, {.groups = 3}), ShapeError);
}
