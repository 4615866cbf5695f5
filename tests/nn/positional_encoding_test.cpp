#include "weft/nn/positional_encoding.hpp"

#include <doctest/doctest.h>

#include <array>
#include <cmath>
#include <latch>
#include <limits>
#include <thread>

#include "support/random.hpp"
#include "weft/autograd/gradcheck.hpp"
#include "weft/base/error.hpp"
#include "weft/ops/elementwise.hpp"
#include "weft/ops/reduce.hpp"
#include "weft/tensor/memory.hpp"

using namespace weft;
using test::largest_difference;
using test::uniform;

TEST_CASE("sinusoids are those of the formula") {
  const Tensor table = nn::sinusoids(2, 3, 6, f64);
  CHECK(table.shape() == Shape{3, 6});
  for (std::int64_t place = 0; place < 3; ++place)
    for (std::int64_t i = 0; i < 3; ++i) {
      const double angle = static_cast<double>(place + 2) / std::pow(10000.0, static_cast<double>(2 * i) / 6);
      CHECK(table.at({place, 2 * i}) == doctest::Approx(std::sin(angle)).epsilon(1e-14));
      CHECK(table.at({place, 2 * i + 1}) == doctest::Approx(std::cos(angle)).epsilon(1e-14));
    }
  CHECK(nn::sinusoids(0, 0, 2).shape() == Shape{0, 2});
}

TEST_CASE("positions from a place on are those of the whole") {
  nn::SinusoidalPositions sinusoidal;
  nn::LearnedPositions learned({.max_length = 9, .embedding_dim = 4});
  for (const DType dtype : {f32, f64}) {
    learned.to(dtype);
    const Tensor x = uniform({2, 9, 4}, -1, 1, 3, dtype);
    const auto check = [&](auto& positions) {
      // Step by step first, so that the whole finds a table made for less.
      Tensor steps = Tensor::empty({2, 9, 4}, dtype);
      for (std::int64_t t = 0; t < 9; ++t) steps.slice(1, t, t + 1).copy_from(positions(x.slice(1, t, t + 1), t).value());
      CHECK(largest_difference(positions(x).value(), steps) == 0);
    };
    check(sinusoidal);
    check(learned);
    CHECK(largest_difference(sinusoidal(x).value(), (Var(x) + nn::sinusoids(0, 9, 4, dtype)).value()) == 0);
  }
  CHECK(sinusoidal(Tensor::zeros({1, 3, 8})).value().at({0, 0, 7}) == 1);  // another width
}

TEST_CASE("a table doesn't grow because inputs differ in dtype or width") {
  nn::SinusoidalPositions positions;
  const std::int64_t before = memory_statistics().total.current;
  reset_peak_memory();
  for (int i = 0; i < 16; ++i) {
    positions(Tensor::zeros({1, 9, 4}, i % 2 == 0 ? f32 : f64));
    positions(Tensor::zeros({1, 9, 6}));
  }
  CHECK(memory_statistics().total.peak - before < 65536);
}

TEST_CASE("a far place doesn't cost those in front of it") {
  constexpr std::int64_t far = 1'000'000'000;
  nn::SinusoidalPositions positions;
  const Tensor x = Tensor::zeros({1, 2, 4}, f64);
  positions(x);
  CHECK(largest_difference(positions(x, far).value().squeeze(0), nn::sinusoids(far, 2, 4, f64)) == 0);
  for (const std::int64_t first : {4096 + 3, 4096 + 2})  // the first that is far behind two places, the last that isn't
    CHECK(largest_difference(positions(x, first).value().squeeze(0), nn::sinusoids(first, 2, 4, f64)) == 0);
  CHECK(largest_difference(positions(x, 1).value().squeeze(0), nn::sinusoids(1, 2, 4, f64)) == 0);
}

TEST_CASE("threads share one sinusoidal encoding") {
  nn::SinusoidalPositions positions;
  std::array<std::int64_t, 2> wrong{};
  std::latch start(2);
  const auto work = [&](std::size_t thread) {
    const DType dtype = thread == 0 ? f32 : f64;
    start.arrive_and_wait();
    for (std::int64_t i = 0; i < 30000; ++i) {
      const std::int64_t places = 1 + i % 64;
      const Tensor found = positions(Tensor::zeros({1, places, 4}, dtype)).value();
      if (largest_difference(found.select(0, 0), nn::sinusoids(0, places, 4, dtype)) != 0) ++wrong[thread];
    }
  };
  std::thread other(work, 1);
  work(0);
  other.join();
  CHECK(wrong[0] == 0);
  CHECK(wrong[1] == 0);
}

TEST_CASE("learned positions have gradients") {
  nn::LearnedPositions learned({.max_length = 5, .embedding_dim = 3});
  learned.to(f64);
  CHECK(learned.state_dict()[0].name == "weight");
  const auto loss = [&] { return sum(square(learned(uniform({2, 3, 3}, -1, 1, 3), 1))); };
  gradcheck_parameters(loss, learned.parameters()).require();
  gradgradcheck_parameters(loss, learned.parameters()).require();
}

TEST_CASE("positions that can't be are refused") {
  CHECK_THROWS_WITH_AS(nn::sinusoids(0, 3, 5), "[sinusoids] the width is 5; it must be positive and even", ValueError);
  CHECK_THROWS_WITH_AS(nn::sinusoids(0, 3, 4, f64, 0), doctest::Contains("the base is 0"), ValueError);
  CHECK_THROWS_AS(nn::sinusoids(-1, 3, 4), ValueError);
  constexpr std::int64_t most = std::numeric_limits<std::int64_t>::max();
  CHECK_THROWS_WITH_AS(nn::sinusoids(most - 1, 4, 4), doctest::Contains("end beyond"), ValueError);
  CHECK(nn::sinusoids(most - 1, 1, 2).shape() == Shape{1, 2});
  CHECK_THROWS_WITH_AS(nn::sinusoids(0, 3, 4, i64), "[sinusoids] no sines in i64; f32 or f64 is needed", DTypeError);
  nn::SinusoidalPositions sinusoidal;
  CHECK_THROWS_WITH_AS(sinusoidal(Var()), "[SinusoidalPositions] the input isn't given", ValueError);
  CHECK_THROWS_AS(sinusoidal(Tensor::zeros({1, 3, 4}), most - 1), ValueError);
  CHECK_THROWS_AS(sinusoidal(Tensor::zeros({1, 3, 4}, i64)), DTypeError);
  CHECK_THROWS_AS(nn::LearnedPositions({.max_length = 0, .embedding_dim = 3}), ValueError);
  nn::LearnedPositions learned({.max_length = 5, .embedding_dim = 3});
  CHECK_THROWS_WITH_AS(learned(Tensor::zeros({1, 3, 3}), 3),
                       "[LearnedPositions] input f32[1, 3, 3] from place 3 on doesn't fit positions f32[5, 3]", ShapeError);
  CHECK_THROWS_AS(learned(Tensor::zeros({1, 3, 3}), -1), ValueError);
  CHECK_THROWS_AS(learned(Tensor::zeros({1, 3, 3}), most - 1), ValueError);
  CHECK_THROWS_AS(learned(Tensor::zeros({3, 3})), ShapeError);
}
