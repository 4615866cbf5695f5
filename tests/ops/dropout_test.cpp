#include "weft/ops/dropout.hpp"

#include <doctest/doctest.h>

#include <limits>

#include "support/random.hpp"
#include "weft/autograd/tape.hpp"
#include "weft/base/error.hpp"
#include "weft/base/random.hpp"
#include "weft/ops/elementwise.hpp"
#include "weft/ops/reduce.hpp"

using namespace weft;
using namespace weft::test;

namespace {

// The mask by its definition, for leading dimensions as rows.
Tensor mask_by_definition(std::int64_t rows, std::int64_t columns, double p, std::uint64_t seed, std::uint64_t position) {
  Tensor mask = Tensor::empty({rows, columns}, f64);
  for (std::int64_t r = 0; r < rows; ++r)
    for (std::int64_t c = 0; c < columns; ++c) {
      const auto words = philox({static_cast<std::uint32_t>(c / 4), static_cast<std::uint32_t>(r),
                                 static_cast<std::uint32_t>(position), static_cast<std::uint32_t>(position >> 32)},
                                {static_cast<std::uint32_t>(seed), static_cast<std::uint32_t>(seed >> 32)});
      const bool kept = static_cast<double>(words[static_cast<std::size_t>(c % 4)]) >= p * 0x1p32;
      mask.mutable_data<double>()[r * columns + c] = kept ? 1 / (1 - p) : 0;
    }
  return mask;
}

constexpr std::uint64_t seed = 0xfeedface12345678, far_position = 0x300000007;

}  // namespace

TEST_CASE("the mask is a function of seed, position, row and column, in forward and in backward") {
  for (const DType dtype : {f32, f64}) {
    Generator generator(seed, far_position);
    Tape tape(generator);
    const Var x = tape.leaf(uniform({3, 7, 37}, 1, 2, 1, dtype));
    const Var y = dropout(x, 0.3);
    CHECK(generator.position() == far_position + 1);
    const Tensor mask = mask_by_definition(21, 37, 0.3, seed, far_position).reshape({3, 7, 37}).to(dtype);
    CHECK(largest_difference(y.value(), (Var(mask) * x.value()).value()) < 1e-6);
    generator.next();  // backward draws at the position of its forward, whatever came in between
    const Tensor gradient = uniform({3, 7, 37}, -1, 1, 2, dtype);
    tape.backward(y, gradient);
    CHECK(largest_difference(tape.grad(x), (Var(mask) * gradient).value()) < 1e-6);
  }
}

TEST_CASE("parts of a batch on tapes that know their first row draw what the whole draws, forward and backward") {
  for (const DType dtype : {f32, f64})
    for (const Shape& rest : {Shape{37}, Shape{5, 9}, Shape{2, 3, 4}}) {
      const Shape shape = rest.with_inserted(0, 8);
      const Tensor x = uniform(shape, 1, 2, 1, dtype), gradient = uniform(shape, -1, 1, 2, dtype);
      // Two draws, the second from what the first gave.
      const auto run = [&](std::int64_t from, std::int64_t to) {
        Generator generator(seed, far_position);
        Tape tape(generator, from);
        CHECK(tape.first_row() == from);
        const Var in = tape.leaf(x.slice(0, from, to)), y = dropout(dropout(in, 0.3) * in, 0.2);
        tape.backward(y, gradient.slice(0, from, to));
        return std::pair(y.value(), tape.grad(in));
      };
      const auto whole = run(0, 8);
      for (const std::int64_t cut : {4, 3, 0}) {
        const auto first = run(0, cut), second = run(cut, 8);
        CHECK(largest_difference(first.first, whole.first.slice(0, 0, cut)) == 0);
        CHECK(largest_difference(first.second, whole.second.slice(0, 0, cut)) == 0);
        CHECK(largest_difference(second.first, whole.first.slice(0, cut, 8)) == 0);
        CHECK(largest_difference(second.second, whole.second.slice(0, cut, 8)) == 0);
      }
      CHECK(largest_difference(whole.first.slice(0, 0, 4), (Var(run(4, 8).first) * 1).value()) > 0);
    }
}

TEST_CASE("each call draws anew, and the same seed draws the same") {
  const Tensor x = Tensor::ones({8, 8});
  const auto two = [&] {
    Generator generator(5);
    Tape tape(generator);
    return std::pair(dropout(x, 0.5).value(), dropout(x, 0.5).value());
  };
  const auto [a, b] = two();
  const auto [c, d] = two();
  CHECK(largest_difference(a, b) > 0);
  CHECK(largest_difference(a, c) == 0);
  CHECK(largest_difference(b, d) == 0);
}

TEST_CASE("nothing is dropped where nothing records or p is 0") {
  const Tensor x = Tensor::ones({8, 8});
  CHECK(dropout(x, 0.5).value().is_same(x));
  Generator generator(5);
  Tape tape(generator);
  CHECK(dropout(x, 0).value().is_same(x));
  {
    const NoGrad guard;
    CHECK(dropout(x, 0.5).value().is_same(x));
  }
  CHECK(generator.position() == 0);
  CHECK_FALSE(dropout(x, 0.5).value().is_same(x));  // a constant under a tape is dropped as well
}

TEST_CASE("p of 1 drops everything, NaN and infinity included, with a gradient of zeros") {
  for (const DType dtype : {f32, f64})
    for (const double value : {1.0, std::numeric_limits<double>::infinity(), std::numeric_limits<double>::quiet_NaN()}) {
      Generator generator(5);
      Tape tape(generator);
      const Var x = tape.leaf(Tensor::full({3, 2}, value, dtype));
      const Var y = dropout(x, 1);
      CHECK(largest(y.value()) == 0);
      tape.backward(y, Tensor::full({3, 2}, value, dtype));
      CHECK(largest(tape.grad(x)) == 0);
    }
}

TEST_CASE("dropout has second derivatives") {
  Generator generator(5);
  Tape tape(generator);
  const Var x = tape.leaf(uniform({4, 4}, 1, 2, 1));
  const Var y = dropout(x, 0.5);
  tape.backward(sum(y * y * y), {.create_graph = true});
  const Var slope = tape.grad_var(x);
  tape.backward(sum(slope));
  CHECK(largest_difference(tape.grad(x), (y * 24.0).value()) < 1e-12);  // 6 m^3 x, with m of 0 or 2 and y = m x
  CHECK(largest(tape.grad(x)) > 0);
}

TEST_CASE("errors of dropout") {
  Tape tape;
  const Tensor x = Tensor::ones({2});
  CHECK_THROWS_WITH_AS(dropout(x, 0.5), doctest::Contains("generator"), TapeError);
  CHECK_THROWS_AS(dropout(x, -0.1), ValueError);
  Generator generator(1);
  CHECK_THROWS_WITH_AS(Tape(generator, -1), doctest::Contains("first row is -1"), ValueError);
  CHECK_THROWS_AS(dropout(x, 1.5), ValueError);
  CHECK_THROWS_AS(dropout(x, std::numeric_limits<double>::quiet_NaN()), ValueError);
  CHECK_THROWS_AS(dropout(Tensor::zeros({2}, i64), 0.5), DTypeError);
}
