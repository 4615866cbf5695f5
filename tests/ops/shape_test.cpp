#include "weft/ops/shape.hpp"

#include <doctest/doctest.h>

#include <limits>
#include <vector>

#include "support/random.hpp"
#include "weft/autograd/tape.hpp"
#include "weft/base/error.hpp"
#include "weft/ops/elementwise.hpp"
#include "weft/ops/reduce.hpp"

using namespace weft;
using namespace weft::test;

namespace {

Tensor counting(const Shape& shape) {
  Tensor x = Tensor::empty({shape.numel()}, f32);
  for (std::int64_t i = 0; i < x.numel(); ++i) x.mutable_data<float>()[i] = static_cast<float>(i);
  return x.reshape(shape);
}

}  // namespace

TEST_CASE("views share the elements of their input") {
  const Tensor x = counting({2, 3, 4});
  CHECK(reshape(x, {6, -1}).value().same_buffer(x));
  CHECK(flatten(x, 1).shape() == Shape{2, 12});
  CHECK(flatten(x).value().same_buffer(x));
  CHECK(transpose(x, 0, -1).value().same_buffer(x));
  CHECK(transpose(x, 0, -1).value().at({3, 2, 1}) == 23);
  CHECK(permute(x, {2, 0, 1}).value().at({3, 1, 0}) == 15);
  CHECK(slice(x, 1, 1, 3).value().at({0, 0, 0}) == 4);
  CHECK(select(x, -1, 2).value().at({1, 1}) == 18);
  CHECK(expand(reshape(x, {2, 3, 1, 4}), {2, 3, 5, 4}).value().same_buffer(x));
  CHECK(flip(x, 1).value().at({0, 0, 0}) == 8);
  CHECK(unsqueeze(x, 1).shape() == Shape{2, 1, 3, 4});
  CHECK(unsqueeze(x, -1).shape() == Shape{2, 3, 4, 1});
  CHECK(squeeze(unsqueeze(x, 2), 2).shape() == Shape{2, 3, 4});
  CHECK(squeeze(unsqueeze(x, 2), 2).value().same_buffer(x));
}

TEST_CASE("concat and stack join, split takes apart") {
  const Tensor x = counting({2, 3});
  const Var rows = concat({x, x * 10}, 0), columns = concat({x, x * 10}, -1), stacked = stack({x, x * 10}, 1);
  CHECK(rows.shape() == Shape{4, 3});
  CHECK(rows.value().at({2, 1}) == 10);
  CHECK(columns.shape() == Shape{2, 6});
  CHECK(columns.value().at({1, 4}) == 40);
  CHECK(stacked.shape() == Shape{2, 2, 3});
  CHECK(stacked.value().at({1, 1, 2}) == 50);
  CHECK(stack({x, x}, -1).shape() == Shape{2, 3, 2});
  const auto parts = split(columns, {3, 2, 1}, 1);
  CHECK(parts.size() == 3);
  CHECK(parts[1].shape() == Shape{2, 2});
  CHECK(parts[2].value().at({1, 0}) == 50);
  CHECK(parts[0].value().same_buffer(columns.value()));
  const std::vector<Var> many(300, Var(x));
  CHECK(concat(many, 0).shape() == Shape{600, 3});
}

TEST_CASE("chunk cuts equal parts, as torch.chunk") {
  const Tensor x = counting({5, 2});
  const auto parts = chunk(x, 2);
  CHECK(parts.size() == 2);
  CHECK(parts[0].shape() == Shape{3, 2});
  CHECK(parts[1].shape() == Shape{2, 2});
  CHECK(parts[1].value().at({0, 0}) == 6);
  CHECK(parts[1].value().same_buffer(x));
  CHECK(chunk(x, 4).size() == 3);
  CHECK(chunk(x, 9).size() == 5);
  CHECK(chunk(x, std::numeric_limits<std::int64_t>::max()).size() == 5);
  CHECK(chunk(Tensor::zeros({2, 0}), 3, -1).size() == 3);
}

TEST_CASE("what is joined may be of any type") {
  CHECK(concat({Tensor::from<std::int64_t>({1, 2}, {2}), Tensor::from<std::int64_t>({3}, {1})}, 0).value().at({2}) == 3);
  CHECK(stack({Tensor::from<bool>({true}, {1}), Tensor::from<bool>({false}, {1})}, 0).value().at({0, 0}) == 1);
}

TEST_CASE("joining isn't seen by later changes of the parts") {
  Tensor x = counting({3});
  const Var joined = concat({x}, 0);
  x.fill(9);
  CHECK(joined.value().at({1}) == 1);
}

TEST_CASE("a loop over time makes one gradient of the sequence's size, no other") {
  constexpr std::int64_t steps = 200;
  for (const bool by_select : {false, true}) {
    Tape tape;
    const Var x = tape.leaf(Tensor::ones({16, steps, 64}));
    const std::int64_t whole = x.numel() * 4, base = memory_statistics().total.current;
    reset_peak_memory();
    Var total = Var::scalar(0);
    for (std::int64_t t = 0; t < steps; ++t) total = total + sum(by_select ? select(x, 1, t) : slice(x, 1, t, t + 1));
    CHECK(memory_statistics().total.peak - base < whole / 10);
    tape.backward(total);
    CHECK(memory_statistics().total.peak - base < whole + whole / 2);
    CHECK(largest_difference(tape.grad(x), Tensor::ones(x.shape())) == 0);
  }
}

TEST_CASE("views and joins have second derivatives") {
  const auto cubes = [](const Var& x) {
    Var y = concat({flip(transpose(x, 0, 2), 1), permute(x, {2, 1, 0})}, 1);
    y = stack({slice(y, 0, 1, 3), slice(y, 0, 2, 4)}, 0);
    y = flatten(expand(unsqueeze(select(y, 2, 1), 0), {2, 2, 2, 2}), 1);
    return sum(y * y * y);
  };
  const Tensor start = uniform({2, 3, 4}, 0.5, 1.5, 1);
  const auto slope_at = [&](double step) {
    Tape tape;
    const Var x = tape.leaf(start);
    tape.backward(cubes(x + step));
    return Var(tape.grad(x).clone());
  };
  Tape tape;
  const Var x = tape.leaf(start);
  tape.backward(cubes(x), {.create_graph = true});
  tape.backward(sum(tape.grad_var(x)));
  const Tensor curvature = tape.grad(x);
  CHECK(largest(curvature) > 1);
  CHECK(largest_difference(curvature, ((slope_at(1e-6) - slope_at(-1e-6)) * 5e5).value()) < 1e-6);
}

TEST_CASE("errors of shapes name the operation and the shapes") {
  const Tensor x = counting({2, 3});
  CHECK_THROWS_WITH_AS(reshape(x, {4, 2}), doctest::Contains("[2, 3]"), ShapeError);
  CHECK_THROWS_AS(reshape(x, {-1, -1}), ShapeError);
  CHECK_THROWS_AS(transpose(x, 0, 2), IndexError);
  CHECK_THROWS_AS(permute(x, {0, 0}), IndexError);
  CHECK_THROWS_AS(permute(x, {0}), ShapeError);
  CHECK_THROWS_WITH_AS(slice(x, 1, 2, 4), doctest::Contains("[slice] range 2 to 4"), IndexError);
  CHECK_THROWS_AS(slice(x, 1, 2, 1), IndexError);
  CHECK_THROWS_AS(select(x, 0, 2), IndexError);
  CHECK_THROWS_AS(select(x, 0, -1), IndexError);
  CHECK_THROWS_AS(expand(x, {3, 3}), ShapeError);
  CHECK_THROWS_AS(squeeze(x, 0), ShapeError);
  CHECK_THROWS_AS(unsqueeze(x, 3), IndexError);
  CHECK_THROWS_AS(flip(x, 2), IndexError);
  CHECK_THROWS_AS(flatten(x, 1, 0), ValueError);
  CHECK_THROWS_WITH_AS(split(x, {1, 1}, 1), doctest::Contains("axis 1 of shape [2, 3]"), ShapeError);
  CHECK_THROWS_AS(split(x, {4, -1}, 1), ShapeError);
  constexpr auto most = std::numeric_limits<std::int64_t>::max();
  CHECK_THROWS_AS(split(x, {most, most, 5}, 1), ShapeError);
  CHECK_THROWS_WITH_AS(chunk(x, 0), doctest::Contains("[chunk] axis 0 of shape [2, 3] can't be cut into 0 parts"), ValueError);
  CHECK_THROWS_AS(chunk(x, std::numeric_limits<std::int64_t>::min()), ValueError);
  CHECK_THROWS_AS(chunk(Tensor::zeros({0}), most), ValueError);
  CHECK_THROWS_AS(chunk(x, 1, 2), IndexError);
  CHECK_THROWS_AS(chunk(Var(), 1), ValueError);
  const Var huge = expand(counting({1}), {std::int64_t{1} << 61});
  CHECK_THROWS_WITH_AS(concat({huge, huge, huge}, 0), doctest::Contains("[concat]"), ShapeError);
  CHECK_THROWS_WITH_AS(concat({x, counting({3, 2})}, 0), doctest::Contains("[2, 3] and [3, 2]"), ShapeError);
  CHECK_THROWS_WITH_AS(stack({x, counting({3, 2})}, 0), doctest::Contains("[2, 3] and [3, 2]"), ShapeError);
  CHECK_THROWS_AS(concat({x, x.to(f64)}, 0), DTypeError);
  CHECK_THROWS_AS(concat(std::vector<Var>{}, 0), ValueError);
  CHECK_THROWS_AS(stack(std::vector<Var>{}, 0), ValueError);
  CHECK_THROWS_AS(concat(std::vector<Var>(70000, Var(x)), 0), ValueError);
}
