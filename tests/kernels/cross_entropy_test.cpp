#include "kernels/cross_entropy.hpp"

#include <cmath>
#include <cstring>
#include <limits>
#include <vector>

#include "kernels/isa_support.hpp"
#include "support/random.hpp"
#include "weft/base/error.hpp"
#include "weft/base/threads.hpp"

using namespace weft;
using namespace weft::test;
using kernels::CrossEntropyTargets;

namespace {

constexpr float inf = std::numeric_limits<float>::infinity(), quiet_nan = std::numeric_limits<float>::quiet_NaN();
constexpr std::int64_t sizes[] = {1, 2, 7, 8, 9, 31, 32, 33, 1000};

struct Outcome {
  Tensor losses, normalisers, gradient;
};

template <class Forward, class Backward>
Outcome run(const Tensor& logits, const CrossEntropyTargets& targets, const Tensor& factors, const Forward& forward,
            const Backward& backward) {
  const std::int64_t rows = logits.size(0);
  Outcome o{Tensor::empty({rows}, logits.dtype()), Tensor::empty({rows, 2}, logits.dtype()), logits.empty_like()};
  forward(logits, targets, o.losses, o.normalisers);
  backward(logits, targets, o.normalisers, factors, o.gradient);
  return o;
}

Outcome fast(const Tensor& logits, const CrossEntropyTargets& targets, const Tensor& factors) {
  return run(logits, targets, factors, kernels::cross_entropy, kernels::cross_entropy_backward);
}
Outcome plain(const Tensor& logits, const CrossEntropyTargets& targets, const Tensor& factors) {
  return run(logits, targets, factors, kernels::reference::cross_entropy, kernels::reference::cross_entropy_backward);
}

void check_close(const Tensor& got, const Tensor& wanted, double relative, double absolute) {
  REQUIRE(got.shape() == wanted.shape());
  const Tensor a = got.to(f64).contiguous(), b = wanted.to(f64).contiguous();
  for (std::int64_t i = 0; i < a.numel(); ++i) {
    const double x = a.data<double>()[i], y = b.data<double>()[i];
    const bool close = x == y || (std::isnan(x) && std::isnan(y)) || std::abs(x - y) <= relative * std::abs(y) + absolute;
    if (!close) CHECK_MESSAGE(close, "element ", i, " of ", got.describe(), " is ", x, ", not ", y);
  }
}

bool same_bits(const Tensor& a, const Tensor& b) {
  return a.shape() == b.shape() && std::memcmp(a.raw(), b.raw(), static_cast<std::size_t>(a.numel()) * sizeof(float)) == 0;
}

// Rows: ordinary, equal, large and equal, +-1e4, +-88.8, all but the first -inf, one -inf, ordinary around 1e4.
constexpr std::int64_t patterns = 8;
Tensor logits_of(std::int64_t n) {
  Tensor x = uniform({patterns, n}, -3, 3, 1, f32);
  float* to = x.mutable_data<float>();
  for (std::int64_t j = 0; j < n; ++j) {
    const bool odd = j % 2 == 1;
    to[n + j] = 0;
    to[2 * n + j] = 1e4f;
    to[3 * n + j] = odd ? -1e4f : 1e4f;
    to[4 * n + j] = odd ? -88.8f : 88.8f;
    if (j > 0) to[5 * n + j] = -inf;
    if (j == n - 1 && n > 1) to[6 * n + j] = -inf;
    to[7 * n + j] += 1e4f;
  }
  return x;
}

}  // namespace

TEST_CASE("cross entropy and its gradient are the reference's for every pattern, size and smoothing on every instruction set") {
  for (const std::int64_t n : sizes) {
    const Tensor x = logits_of(n), factors = uniform({patterns}, -1, 1, 2, f32);
    for (const std::int64_t ignored : {std::int64_t{-100}, std::int64_t{0}})
      for (const double smoothing : {0.0, 0.1, 1.0}) {
        CAPTURE(n);
        CAPTURE(ignored);
        CAPTURE(smoothing);
        const CrossEntropyTargets targets{integers({patterns}, n, 3), ignored, smoothing};
        const Outcome wide = plain(x.to(f64), targets, factors.to(f64)), single = plain(x, targets, factors);
        const double terms = std::sqrt(static_cast<double>(n)), sums = 2e-6 + 1e-8 * static_cast<double>(n);
        check_close(single.losses, wide.losses, sums, 1e-6);
        check_close(single.gradient, wide.gradient, 1e-5, 1e-7);
        on_each_isa([&] {
          const Outcome o = fast(x, targets, factors);
          check_close(o.losses, wide.losses, sums, 2e-7 * terms);
          check_close(o.gradient, wide.gradient, 5e-6, 2e-7);
        });
      }
  }
}

TEST_CASE("the loss keeps its digits where the logits are large") {
  const CrossEntropyTargets targets{Tensor::from<std::int64_t>({2}, {1}), -100, 0};
  const Tensor one = Tensor::ones({1});
  on_each_isa([&] {
    for (const float level : {0.0f, 1e4f, -1e4f, 1e6f}) {
      const Tensor x = Tensor::full({1, 9}, static_cast<double>(level));
      const Outcome o = fast(x, targets, one);
      CHECK(o.losses.at({0}) == doctest::Approx(std::log(9.0)).epsilon(1e-6));
      CHECK(o.gradient.at({0, 0}) == doctest::Approx(1.0 / 9).epsilon(1e-6));
    }
  });
}

TEST_CASE("a class with the logit -inf costs nothing where it has no weight, and infinity where it has some") {
  const Tensor one = Tensor::ones({1});
  for (const std::int64_t n : {3, 8, 20}) {
    Tensor x = Tensor::zeros({1, n});
    x.mutable_data<float>()[1] = -inf;
    const auto loss = [&](const DType type, std::int64_t target, double smoothing) {
      const Outcome o = fast(x.to(type), {Tensor::full({1}, static_cast<double>(target), i64), -100, smoothing}, one.to(type));
      for (std::int64_t j = 0; j < n; ++j) CHECK(std::isfinite(o.gradient.at({0, j})));
      return o.losses.at({0});
    };
    on_each_isa([&] {
      for (const DType type : {f32, f64}) {
        CHECK(loss(type, 0, 0) == doctest::Approx(std::log(static_cast<double>(n - 1))));
        CHECK(loss(type, 1, 0) == inf);
        CHECK(loss(type, 0, 0.1) == inf);
        CHECK(loss(type, 1, 0.1) == inf);
        CHECK(loss(type, 1, 1) == inf);
      }
    });
  }
}

TEST_CASE("a NaN, a +inf or nothing but -inf makes a row's loss NaN, and no other's") {
  for (const std::int64_t n : sizes)
    for (const std::int64_t place : {std::int64_t{0}, n / 2, n - 1}) {
      Tensor x = uniform({4, n}, -3, 3, 1, f32);
      x.mutable_data<float>()[n + place] = quiet_nan;
      x.mutable_data<float>()[2 * n + place] = inf;
      x.select(0, 3).fill(-static_cast<double>(inf));
      const CrossEntropyTargets targets{integers({4}, n, 3), -100, 0.1};
      on_each_isa([&] {
        const Outcome o = fast(x, targets, Tensor::ones({4}));
        CHECK(std::isfinite(o.losses.at({0})));
        for (std::int64_t row = 1; row < 4; ++row) {
          CHECK(std::isnan(o.losses.at({row})));
          CHECK(std::isnan(o.gradient.at({row, place})));
        }
      });
    }
}

TEST_CASE("ignored rows are not read, and a factor of 0 gives zeros, whatever the row is") {
  for (const std::int64_t n : sizes)
    for (const DType type : {f32, f64}) {
      const Tensor x = Tensor::full({2, n}, static_cast<double>(quiet_nan), type);
      const CrossEntropyTargets targets{Tensor::from<std::int64_t>({-7, 0}, {2}), -7, 0.1};
      on_each_isa([&] {
        const Outcome o = fast(x, targets, Tensor::from<float>({1, 0}, {2}).to(type));
        CHECK(o.losses.at({0}) == 0);
        CHECK(std::isnan(o.losses.at({1})));
        CHECK(largest(o.gradient) == 0);
      });
    }
}

TEST_CASE("the gradient may take the logits' place") {
  const Tensor x = logits_of(33), factors = uniform({patterns}, -1, 1, 2, f32);
  const CrossEntropyTargets targets{integers({patterns}, 33, 3), 5, 0.1};
  on_each_isa([&] {
    const Outcome o = fast(x, targets, factors);
    Tensor place = x.clone();
    kernels::cross_entropy_backward(place, targets, o.normalisers, factors, place);
    CHECK(same_bits(place, o.gradient));
  });
}

TEST_CASE("a class outside the logits is named with its row before anything is written") {
  Tensor losses = Tensor::full({3}, 7), normalisers = Tensor::full({3, 2}, 7);
  for (const std::int64_t wrong : {-4, 5, 100}) {
    const CrossEntropyTargets targets{Tensor::from<std::int64_t>({0, 1, wrong}, {3}), -100, 0};
    CHECK_THROWS_WITH_AS(kernels::cross_entropy(Tensor::zeros({3, 5}), targets, losses, normalisers),
                         doctest::Contains("at position 2"), IndexError);
  }
  CHECK(losses.at({0}) == 7);
}

TEST_CASE("cross entropy has the same bits for any number of threads") {
  const Tensor x = uniform({300, 700}, -3, 3, 1, f32), factors = uniform({300}, -1, 1, 2, f32);
  const CrossEntropyTargets targets{integers({300}, 700, 3), 5, 0.1};
  const int threads = num_threads();
  std::vector<Outcome> results;
  for (const int n : {1, 2, 5}) {
    set_num_threads(n);
    results.push_back(fast(x, targets, factors));
  }
  set_num_threads(threads);
  for (const Outcome& o : results) {
    CHECK(same_bits(o.losses, results[0].losses));
    CHECK(same_bits(o.gradient, results[0].gradient));
  }
}
