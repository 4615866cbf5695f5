#include "support/random.hpp"

#include <doctest/doctest.h>

#include <cmath>

#include "weft/base/error.hpp"
#include "weft/base/random.hpp"
#include "weft/base/threads.hpp"
#include "weft/tensor/tensor.hpp"

using namespace weft;
using test::largest_difference;

namespace {

struct Moments {
  double mean, deviation, least, most;
};

Moments moments_of(const Tensor& x) {
  const Tensor wide = x.to(f64);
  const auto* at = wide.data<double>();
  Moments m{0, 0, at[0], at[0]};
  for (std::int64_t i = 0; i < x.numel(); ++i) {
    m.mean += at[i] / static_cast<double>(x.numel());
    m.deviation += at[i] * at[i] / static_cast<double>(x.numel());
    m.least = std::min(m.least, at[i]);
    m.most = std::max(m.most, at[i]);
  }
  m.deviation = std::sqrt(m.deviation - m.mean * m.mean);
  return m;
}

}  // namespace

TEST_CASE("rand is uniform in [0, 1), randn normal") {
  for (const DType dtype : {f32, f64}) {
    Generator generator(1);
    const Moments flat = moments_of(Tensor::rand({100, 1000}, generator, dtype));
    CHECK(flat.mean == doctest::Approx(0.5).epsilon(0.01));
    CHECK(flat.deviation == doctest::Approx(std::sqrt(1.0 / 12)).epsilon(0.01));
    CHECK((flat.least >= 0 && flat.least < 1e-4));
    CHECK((flat.most < 1 && flat.most > 1 - 1e-4));
    const Moments bell = moments_of(Tensor::randn({100, 1000}, generator, dtype));
    CHECK(std::abs(bell.mean) < 0.01);
    CHECK(bell.deviation == doctest::Approx(1).epsilon(0.01));
    CHECK((bell.least < -3.5 && bell.least > -6));
    CHECK((bell.most > 3.5 && bell.most < 6));
  }
}

TEST_CASE("a random element is a function of seed, position and place") {
  Generator generator(7, 3);
  const Tensor first = Tensor::randn({3, 5}, generator), second = Tensor::randn({3, 5}, generator);
  CHECK(generator.position() == 5);
  CHECK(largest_difference(first, second) > 0.1);
  Generator again(7, 4), other(8, 4);
  CHECK(largest_difference(Tensor::randn({3, 5}, again), second) == 0);
  CHECK(largest_difference(Tensor::randn({3, 5}, other), second) > 0.1);
  // Another shape has the same numbers in row-major order, as far as both go.
  Generator flat(7, 4);
  CHECK(largest_difference(Tensor::randn({14}, flat), second.reshape({15}).slice(0, 0, 14)) == 0);
  const int threads = num_threads();
  for (const int n : {1, 2, 5}) {
    set_num_threads(n);
    Generator same(7, 4);
    CHECK(largest_difference(Tensor::randn({3, 5}, same), second) == 0);
  }
  set_num_threads(threads);
}

TEST_CASE("f32 and f64 draw the same numbers, as Philox gives them") {
  Generator a(7, 3), b(7, 3);
  const Tensor single = Tensor::rand({9}, a), wide = Tensor::rand({9}, b, f64);
  for (std::int64_t i = 0; i < 9; ++i) CHECK(single.at({i}) == std::floor(wide.at({i}) * 0x1p24) * 0x1p-24);
  const auto words = philox({1, 0, 3, 0}, {7, 0});  // elements 2 and 3 at position 3
  CHECK(wide.at({2}) == static_cast<double>((std::uint64_t{words[0]} << 32 | words[1]) >> 11) * 0x1p-53);
  CHECK(wide.at({3}) == static_cast<double>((std::uint64_t{words[2]} << 32 | words[3]) >> 11) * 0x1p-53);
  Generator c(7, 3), d(7, 3);
  CHECK(largest_difference(Tensor::randn({9}, c), Tensor::randn({9}, d, f64)) < 1e-6);
}

TEST_CASE("random tensors of any shape, and of no other dtype") {
  Generator generator(1);
  CHECK(Tensor::rand({}, generator).shape() == Shape{});
  CHECK(Tensor::randn({0, 3}, generator).shape() == Shape{0, 3});
  CHECK(Tensor::randn({1}, generator, f64).dtype() == f64);
  for (const DType dtype : {i32, i64, boolean}) {
    CHECK_THROWS_WITH_AS(Tensor::rand({2}, generator, dtype), doctest::Contains("[Tensor::rand]"), DTypeError);
    CHECK_THROWS_WITH_AS(Tensor::randn({2}, generator, dtype), doctest::Contains("[Tensor::randn]"), DTypeError);
  }
}
