#include "weft/nn/init.hpp"

#include <doctest/doctest.h>

#include <cmath>

#include "weft/base/error.hpp"
#include "weft/nn/weight.hpp"

using namespace weft;

namespace {

struct Statistics {
  double mean = 0, deviation = 0, low = INFINITY, high = -INFINITY;
};

Statistics statistics(const nn::Init& init, const Shape& shape) {
  Parameter parameter("w", Tensor::zeros(shape));
  nn::initialise(parameter, init, 5);
  const Tensor value = parameter.value();
  Statistics s;
  double square = 0;
  for (std::int64_t i = 0; i < value.numel(); ++i) {
    const double x = static_cast<double>(value.data<float>()[i]);
    s.mean += x;
    square += x * x;
    s.low = std::min(s.low, x);
    s.high = std::max(s.high, x);
  }
  const auto n = static_cast<double>(value.numel());
  s.mean /= n;
  s.deviation = std::sqrt(square / n - s.mean * s.mean);
  return s;
}

class Pair : public nn::Module<Pair> {
 public:
  Pair(bool turned, const nn::Scope& scope) : Module(scope) {
    for (const bool first : {!turned, turned})
      (first ? a : b) = nn::Weight(this, first ? "a" : "b", Shape{7}, nn::init::normal());
  }
  nn::Weight a, b;
};

}  // namespace

TEST_CASE("distributions have their moments and bounds") {
  const Shape shape{200, 100};
  const auto near = [](double x, double y, double by) { return std::abs(x - y) <= by; };
  const auto uniform = [&](const Statistics& s, double bound) {
    CHECK(near(s.mean, 0, 0.02 * bound));
    CHECK(near(s.deviation, bound / std::sqrt(3.0), 0.02 * bound));
    CHECK(s.low >= -bound);
    CHECK(s.high <= bound);
    CHECK(s.high > 0.99 * bound);
  };
  uniform(statistics(nn::init::uniform(-2, 2), shape), 2);
  uniform(statistics(nn::init::xavier_uniform(2), shape), 2 * std::sqrt(6.0 / 300));
  uniform(statistics(nn::init::kaiming_uniform(std::sqrt(5.0)), shape), 0.1);
  uniform(statistics(nn::init::kaiming_uniform(), {100, 10, 2, 5}), std::sqrt(6.0 / 100));
  const Statistics normal = statistics(nn::init::normal(3, 0.5), shape);
  CHECK(near(normal.mean, 3, 0.02));
  CHECK(near(normal.deviation, 0.5, 0.01));
  CHECK(normal.high > 4.5);
  CHECK(near(statistics(nn::init::xavier_normal(), shape).deviation, std::sqrt(2.0 / 300), 0.002));
  CHECK(statistics(nn::init::constant(2.5), shape).low == 2.5);
  CHECK(statistics(nn::init::ones(), {3}).high == 1);
}

TEST_CASE("values depend on seed, path and place alone") {
  Pair model(false, {.seed = 3}), turned(true, {.seed = 3}), other(false, {.seed = 4});
  for (std::int64_t i = 0; i < 7; ++i) {
    CHECK(model.a->value().at({i}) == turned.a->value().at({i}));
    CHECK(model.b->value().at({i}) == turned.b->value().at({i}));
    CHECK(model.a->value().at({i}) != model.b->value().at({i}));
    CHECK(model.a->value().at({i}) != other.a->value().at({i}));
  }
  // A longer parameter of the same name starts with the same elements, and f64 has the same values unrounded.
  Parameter longer("a", Tensor::zeros({20}, f64));
  nn::initialise(longer, nn::init::normal(), 3);
  CHECK(model.a->value().at({6}) == static_cast<double>(static_cast<float>(longer.value().at({6}))));
}

TEST_CASE("what makes no sense is refused") {
  Parameter vector("v", Tensor::zeros({3}));
  CHECK_THROWS_AS(nn::initialise(vector, nn::init::xavier_uniform()), ShapeError);
  CHECK_THROWS_AS(nn::initialise(vector, nn::init::uniform(1, -1)), ValueError);
  CHECK_THROWS_AS(nn::initialise(vector, nn::init::normal(0, -1)), ValueError);
  Parameter empty("e", Tensor::zeros({4, 0}));
  nn::initialise(empty, nn::init::kaiming_uniform());
  CHECK(empty.numel() == 0);
}
